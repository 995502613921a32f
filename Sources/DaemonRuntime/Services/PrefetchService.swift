import ServiceLifecycle

/// Looks every second for prefetch files that are due.
package struct PrefetchService: DaemonService {
    private static let interval = Duration.seconds(1)

    private let files: PrefetchFiles

    /// Prepares the service.
    package init(_ files: PrefetchFiles) { self.files = files }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await files.readDue()
                try? await Task.sleep(for: Self.interval, clock: .continuous)
            }
        }
    }
}
