import DaemonConfiguration
import Logging
import ServiceLifecycle
import Systemd
import TokenCache
import TokenProtocol
import UnixSignals

/// Wishes for a reload, one after another: two at once would read half of each other.
struct ReloadRequests: Sendable {
    fileprivate let wishes: AsyncStream<Waiter?>
    private let wishing: AsyncStream<Waiter?>.Continuation

    init() { (wishes, wishing) = AsyncStream.makeStream() }

    /// Asks for a reload; the answer goes to the operator who waits, if one does.
    func ask(_ waiter: Waiter?) { wishing.yield(waiter) }

    fileprivate func end() { wishing.finish() }
}

/// Reads the configuration again, on SIGHUP and when an operator asks.
struct ReloadService: Service {
    let source: ConfigurationSource
    let frontend: Frontend
    let pool: TenantPool
    let requests: ReloadRequests
    let hangups: UnixSignalsSequence
    let output: LogOutput
    let log: Logger

    func run() async throws {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    for await _ in hangups.cancelOnGracefulShutdown() { requests.ask(nil) }
                }
                for await waiter in requests.wishes {
                    let reply = await reload()
                    if let waiter { frontend.deliver(reply, to: waiter) }
                }
                group.cancelAll()
            }
        } onGracefulShutdown: {
            requests.end()
        }
    }

    private func reload() async -> Reply {
        Notice.reloading.send()
        defer { Notice.ready(status: "serving").send() }
        do {
            let loaded = try source.load()
            let changed = try await pool.apply(loaded)
            try await frontend.apply(loaded.configuration)
            for tenant in changed { await frontend.cache.secretChanged(of: tenant) }
            output.level = loaded.configuration.level
            log.notice("the configuration was read again", metadata: [LogKey.path: "\(source.path)"])
            return .reloaded
        } catch let faults as ConfigurationFaults {
            return refuse(faults)
        } catch {
            log.error("the configuration was not read again", metadata: [LogKey.reason: "\(error)"])
            return .error(ErrorReply(.unavailable, "the daemon is shutting down", retryAfter: 1))
        }
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
