import ServiceLifecycle

/// Returns the memory to the kernel that many calls have left behind, when the calls rest.
package struct MemoryService: DaemonService {
    private static let interval = Duration.seconds(2)

    private let clients: TenantClients
    private let release: @Sendable () -> Void

    /// Prepares the service.
    ///
    /// - Parameter release: Returns unused memory. It must not block.
    package init(_ clients: TenantClients, release: @escaping @Sendable () -> Void) {
        self.clients = clients
        self.release = release
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.interval)
                guard !Task.isCancelled else { return }
                await check()
            }
        }
    }

    /// Returns unused memory if many calls were made, and none since the last check.
    package func check() async {
        if await clients.hasBurstEnded() { release() }
    }
}
