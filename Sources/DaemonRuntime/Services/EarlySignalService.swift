import ServiceLifecycle

/// Sends early signals once more when all services that handle signals run.
struct EarlySignalService: DaemonService {
    func run() async throws {
        EarlySignals.sendAgain()
        try await gracefulShutdown()
    }
}
