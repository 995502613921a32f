import ServiceLifecycle

/// Runs the HTTP server of the metrics.
///
/// It ends after the services that serve requests, so that `/readyz` says that the daemon drains.
package struct MetricsEndpointService: DaemonService {
    /// The time between two attempts to listen on an address.
    package static let interval = Duration.seconds(10)

    private let endpoint: MetricsEndpoint
    private let interval: Duration

    /// Prepares the service.
    package init(_ endpoint: MetricsEndpoint, interval: Duration = Self.interval) {
        self.endpoint = endpoint
        self.interval = interval
    }

    package func run() async throws {
        await endpoint.begin()
        await withDiscardingTaskGroup { group in
            group.addTask {
                await cancelWhenGracefulShutdown {
                    while !Task.isCancelled {
                        await endpoint.openMissing()
                        try? await Task.sleep(for: interval)
                    }
                }
            }
            await withGracefulShutdownHandler {
                for await order in endpoint.orders {
                    group.addTask { await endpoint.run(order) }
                }
            } onGracefulShutdown: {
                endpoint.end()
            }
        }
    }
}
