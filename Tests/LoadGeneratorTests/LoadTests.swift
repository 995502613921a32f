import Glibc
import LoadGenerator
import SocketServer
import Synchronization
import Testing

@Suite("The load generator")
struct LoadTests {
    private static let token = #"{"access_token":"abc","token_type":"Bearer"}"#

    /// Runs a load on a scripted server until the server has answered enough requests.
    ///
    /// - Parameters:
    ///   - warmUp: The time whose replies are forgotten.
    ///   - isEnough: Called with the server and the number of requests.
    ///   - answer: The reply to a request of that number, or nil to close the connection.
    private func load(
        connections: Int = 3,
        pipeline: Int = 2,
        warmUp: Duration = .zero,
        subjects: [String] = ["ann"],
        until isEnough: @escaping @Sendable (ScriptedServer, Int) -> Bool,
        answer: @escaping @Sendable (Int) -> String? = { _ in token }
    ) async throws -> (Measurement, ScriptedServer) {
        let stage = Mutex<(server: ScriptedServer, load: Load)?>(nil)
        let count = Atomic(0)
        let server = try await ScriptedServer { _ in
            let number = count.add(1, ordering: .relaxed).newValue
            if let (server, load) = stage.withLock({ $0 }), isEnough(server, number) { load.stop() }
            return answer(number)
        }
        // Longer than any test, so that only the server's call of `stop` or the loss of the connections ends it.
        var settings = LoadSettings(
            path: server.path,
            connections: connections,
            pipeline: pipeline,
            time: .seconds(600),
            threads: 2
        )
        settings.warmUp = warmUp
        let load = Load(settings, try RequestLines(subjects: subjects, tenant: "main"))
        stage.withLock { $0 = (server, load) }
        let measurement = try await load.run()
        stage.withLock { $0 = nil }
        try await server.stop()
        return (measurement, server)
    }

    @Test("All connections send requests for all keys, and each reply is counted with its time.")
    func counts() async throws {
        let (measurement, server) = try await load(
            subjects: ["a\"b", "c/d"],
            until: { server, number in number > 100 && server.connections == 3 && server.lines.count == 2 }
        )
        #expect(measurement.tokens > 0)
        #expect(measurement.errors.isEmpty)
        #expect(measurement.lostConnections == 0)
        #expect(measurement.replies == measurement.tokens)
        #expect((1..<600_000_000_000).contains(measurement.elapsed))
        #expect(measurement.rate > 0)
        #expect(measurement.seconds(at: 50) > 0 && measurement.seconds(at: 50) <= measurement.seconds(at: 100))
        // In a closed loop no connection has more requests under way than its pipeline.
        #expect(measurement.unanswered <= 6)
        #expect(
            server.lines == [
                #"{"op":"token","subject":"a\"b","tenant":"main"}"#, #"{"op":"token","subject":"c/d","tenant":"main"}"#,
            ]
        )
    }

    @Test("Errors are counted by their codes, beside the tokens.")
    func errors() async throws {
        let (measurement, _) = try await load(
            until: { $1 > 100 },
            answer: { $0 % 2 == 0 ? Self.token : #"{"error":"rate_limited","error_description":"wait"}"# }
        )
        #expect(Array(measurement.errors.keys) == ["rate_limited"])
        #expect(measurement.tokens > 0)
        #expect(measurement.replies > measurement.tokens)
    }

    @Test("A load that ends in its warm-up shows what was measured in it.")
    func warmUp() async throws {
        let (measurement, _) = try await load(warmUp: .seconds(600), until: { $1 > 100 })
        #expect(measurement.replies > 0 && measurement.rate > 0)
    }

    @Test("A load ends when the daemon has closed all connections, and they count as lost.")
    func lost() async throws {
        let (measurement, _) = try await load(until: { _, _ in false }, answer: { _ in nil })
        #expect(measurement.lostConnections == 3)
        #expect(measurement.replies == 0 && measurement.rate == 0 && measurement.seconds(at: 99) == 0)
    }

    @Test("A daemon that isn't there is an error.")
    func absent() async throws {
        let settings = LoadSettings(
            path: "/nonexistent/socket",
            connections: 3,
            pipeline: 1,
            time: .seconds(1),
            threads: 2
        )
        let load = Load(settings, try RequestLines(subjects: ["ann"], tenant: nil))
        await #expect(throws: UnixConnection.Fault(code: ENOENT)) { _ = try await load.run() }
    }

    @Test("Requests that are larger than the socket's room are sent when there is room again.")
    func largeRequests() async throws {
        let subject = String(repeating: "x", count: 1_000)
        let (measurement, server) = try await load(
            connections: 1,
            pipeline: 1_000,
            subjects: [subject],
            until: { $1 > 2_500 }
        )
        #expect(measurement.lostConnections == 0)
        #expect(measurement.tokens > 0)
        #expect(server.lines.count == 1)
    }
}
