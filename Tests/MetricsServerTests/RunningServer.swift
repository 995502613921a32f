import MetricsServer
import NIOCore
import NIOPosix
import OperatorReplies

/// A server on a port from the kernel, for as long as a test needs it.
func withServer<Result: Sendable>(
    _ pages: Pages = .fixed(),
    limits: MetricsServer.Limits = .init(),
    on host: String = "127.0.0.1",
    group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
    _ body: (Int) async throws -> Result
) async throws -> Result {
    let (ports, port) = AsyncStream<Int>.makeStream()
    let address = ListenAddress(host: host, port: 0)
    let server = MetricsServer(on: address, pages, group: group, limits: limits) { port.yield($0) }
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask {
            defer { port.finish() }
            try await server.run()
        }
        guard let number = await ports.first(where: { _ in true }) else {
            try await tasks.waitForAll()
            throw CancellationError()
        }
        let result: Swift.Result<Result, any Error>
        do {
            result = .success(try await body(number))
        } catch {
            result = .failure(error)
        }
        await server.stop()
        try await tasks.waitForAll()
        return try result.get()
    }
}

extension Pages {
    /// Pages of a daemon that is well, or of one with these checks.
    static func fixed(_ checks: HealthReply.Check...) -> Pages {
        Pages(metrics: { "a 1\n" }, loops: ["requests": {}, "tenants": {}], readiness: { HealthReply(checks: checks) })
    }
}
