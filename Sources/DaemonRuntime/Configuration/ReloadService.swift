package import Audit
import ServiceLifecycle
import Systemd
import TokenCache
import TokenProtocol
package import UnixSignals

/// Reloads the configuration on a signal and when an operator asks.
package struct ReloadService: DaemonService {
    private let reload: Reload
    private let frontend: Frontend
    private let requests: ReloadRequests
    private let signals: UnixSignalsSequence
    private let auditTrail: AuditTrail
    private let metrics: ReloadMetrics

    /// Prepares the service.
    ///
    /// - Parameter signals: The signals on each of which the configuration is reloaded.
    package init(
        _ reload: Reload,
        _ frontend: Frontend,
        requests: ReloadRequests,
        signals: UnixSignalsSequence,
        auditTrail: AuditTrail,
        metrics: ReloadMetrics
    ) {
        self.reload = reload
        self.frontend = frontend
        self.requests = requests
        self.signals = signals
        self.auditTrail = auditTrail
        self.metrics = metrics
    }

    package func run() async throws {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    for await _ in signals.cancelOnGracefulShutdown() { requests.ask(nil) }
                }
                for await request in requests.requests {
                    let reply = await performAndAnnounce()
                    metrics.count(reply)
                    auditTrail.append(AuditRecord(request?.peer, .reload(Self.code(of: reply))))
                    if let request { await frontend.deliver(reply, to: request.waiter) }
                }
                group.cancelAll()
            }
        } onGracefulShutdown: {
            requests.end()
        }
    }

    private func performAndAnnounce() async -> Reply {
        ServiceNotification.reloading.send()
        let reply = await reload.perform()
        ServiceNotification.ready(status: await frontend.status).send()
        return reply
    }

    private static func code(of reply: Reply) -> ErrorReply.Code? {
        guard case .error(let error) = reply else { return nil }
        return error.code
    }
}
