import ServiceLifecycle
package import TokenCache

/// Makes the calls that the cache orders.
///
/// It is among the last services to end, as a drain still needs mints.
package struct MintService: DaemonService {
    private let cache: TokenCache
    private let clients: TenantClients

    /// Prepares the service.
    package init(cache: TokenCache, clients: TenantClients) {
        self.cache = cache
        self.clients = clients
    }

    package func run() async throws {
        await withGracefulShutdownHandler {
            await cache.run(clients)
        } onGracefulShutdown: {
            cache.stop()
        }
    }
}
