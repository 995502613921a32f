import OperatorReplies
import TokenCacheClient

/// Asks the daemon again and again, and reports what it says.
struct TopPoller: Sendable {
    /// The longest time that an answer may take.
    private static let timeout = Duration.seconds(5)
    /// The number of refreshes that are asked for.
    private static let maxRefreshes = 20
    /// The most tenants with which the metrics are asked for, because their size grows with the number of tenants.
    private static let maxTenants = 100

    let sockets: SocketOptions
    let interval: Duration
    let clock: TopClock
    let report: @Sendable (TopEvent) -> Void

    /// Asks until the task is cancelled.
    func run() async throws {
        try await sockets.withClient(of: .admin) { client in
            var next = ContinuousClock.now
            while !Task.isCancelled {
                await look(client)
                next = max(ContinuousClock.now, next + interval)
                try await Task.sleep(until: next, clock: .continuous)
            }
        }
    }

    private func look(_ client: TokenCacheClient) async {
        do {
            report(.look(try await ask(client)))
        } catch let error as TokenCacheError {
            report(.failure(error.message))
        } catch is CancellationError {
        } catch {
            report(.failure("\(error)"))
        }
    }

    /// Asks for everything at once, except for the metrics, which are asked for if the statistics have few tenants.
    private func ask(_ client: TokenCacheClient) async throws -> Look {
        async let health = optional(Self.request("health"), client, HealthReply.self)
        async let refreshes = optional(Self.refreshes, client, EntriesPage.self)
        let stats = try await reply(to: Self.request("stats"), client).decode(StatsReply.self)
        let at = clock.now
        let isSmall = stats.tenants.count <= Self.maxTenants
        let metrics = isSmall ? try await optional(Self.request("metrics"), client, MetricsReply.self) : nil
        return Look(
            at: at,
            stats: stats,
            health: try await health,
            refreshes: try await refreshes,
            latencies: metrics.flatMap { Look.Latencies(metrics: $0.body) }
        )
    }

    private static var refreshes: TokenCacheClient.Request {
        var request = request("entries")
        request.limit = maxRefreshes
        request.order = "next_refresh"
        return request
    }

    private static func request(_ operation: String) -> TokenCacheClient.Request {
        var request = TokenCacheClient.Request(operation)
        request.timeout = timeout
        return request
    }

    private func reply(to request: TokenCacheClient.Request, _ client: TokenCacheClient) async throws -> Reply {
        Reply(try await client.call(request))
    }

    /// Asks for something that the daemon may not know, not allow or not have the time for.
    ///
    /// - Returns: The reply, or nil if it is an error.
    private func optional<Value: Decodable>(
        _ request: TokenCacheClient.Request,
        _ client: TokenCacheClient,
        _ type: Value.Type
    ) async throws -> Value? {
        do {
            return try await reply(to: request, client).decode(type)
        } catch let error as TokenCacheError where error.requestState == .answered || error.code == .badReply {
            return nil
        }
    }
}
