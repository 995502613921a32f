import Audit
import DaemonConfiguration
import Logging
import ServiceLifecycle
import Systemd
import TokenCache
import TokenProtocol
import UnixSignals

/// Wishes for a reload, one after another: two at once would read half of each other.
struct ReloadRequests: Sendable {
    /// The operator who waits for a reload.
    typealias Operator = (waiter: Waiter, peer: Peer)

    fileprivate let wishes: AsyncStream<Operator?>
    private let wishing: AsyncStream<Operator?>.Continuation

    init() { (wishes, wishing) = AsyncStream.makeStream() }

    /// Asks for a reload; the answer goes to the operator who waits, if one does.
    func ask(_ operator: Operator?) { wishing.yield(`operator`) }

    fileprivate func end() { wishing.finish() }
}

/// Reads the configuration again, on SIGHUP and when an operator asks.
struct ReloadService: Service {
    let source: ConfigurationSource
    let frontend: Frontend
    let clients: TenantClients
    let requests: ReloadRequests
    let hangups: UnixSignalsSequence
    let keeping: TokenKeeping
    let trail: AuditTrail
    let output: LogOutput
    let log: Logger

    func run() async throws {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    for await _ in hangups.cancelOnGracefulShutdown() { requests.ask(nil) }
                }
                for await wish in requests.wishes {
                    let reply = await reload()
                    trail.append(AuditRecord(wish?.peer, .reload(Self.code(of: reply))))
                    if let wish { frontend.deliver(reply, to: wish.waiter) }
                }
                group.cancelAll()
            }
        } onGracefulShutdown: {
            requests.end()
        }
    }

    private func reload() async -> Reply {
        ServiceNotification.reloading.send()
        let reply = await readAndApply()
        ServiceNotification.ready(status: await frontend.status).send()
        return reply
    }

    private func readAndApply() async -> Reply {
        do {
            let loaded = try source.load()
            let destination = try loaded.openAuditTrail(source.path)
            let prepared = try await clients.prepare(loaded)
            try await frontend.apply(loaded, prepared.identities)
            let changed = await clients.take(prepared)
            await keeping.apply(isWanted: loaded.configuration.cache.keepAcrossRestarts)
            trail.move(to: destination)
            for tenant in changed { await frontend.cache.secretChanged(of: tenant) }
            output.level = loaded.configuration.level
            loaded.warn(log)
            log.notice("the configuration was read again", metadata: [LogKey.path: "\(source.path)"])
            return .reloaded
        } catch let faults as ConfigurationFaults {
            return refuse(faults)
        } catch {
            log.error("the configuration was not read again", metadata: [LogKey.reason: "\(error)"])
            return .error(ErrorReply(.unavailable, "the daemon is shutting down", retryAfter: 1))
        }
    }

    private static func code(of reply: Reply) -> ErrorReply.Code? {
        guard case .error(let error) = reply else { return nil }
        return error.code
    }

    private func refuse(_ faults: ConfigurationFaults) -> Reply {
        for fault in faults.faults {
            log.error(
                "the configuration has a fault and the old one stays in force",
                metadata: [
                    LogKey.fault: "\(fault)"
                ]
            )
        }
        return .error(ErrorReply(.invalidConfiguration, faults.faults.map(\.description).joined(separator: "; ")))
    }
}
