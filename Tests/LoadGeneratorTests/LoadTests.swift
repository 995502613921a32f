import Glibc
import LoadGenerator
import SocketServer
import Synchronization
import Testing

@Suite("The load generator")
struct LoadTests {
    private static let token = #"{"access_token":"abc","token_type":"Bearer"}"#

    private func load(
        _ path: String,
        connections: Int = 3,
        pipeline: Int = 2,
        time: Duration = .milliseconds(300),
        threads: Int = 2,
        subjects: [String] = ["ann"]
    ) throws -> Load {
        let settings = LoadSettings(
            path: path,
            connections: connections,
            pipeline: pipeline,
            time: time,
            threads: threads
        )
        return Load(settings, try RequestLines(subjects: subjects, tenant: "main"))
    }

    @Test("All connections send requests for all keys, and each reply is counted with its time.")
    func counts() async throws {
        let server = try await ScriptedServer { _ in Self.token }
        let measurement = try await load(server.path, subjects: ["a\"b", "c/d"]).run()
        #expect(measurement.tokens > 0)
        #expect(measurement.errors.isEmpty)
        #expect(measurement.lostConnections == 0)
        #expect(measurement.replies == measurement.tokens)
        #expect(measurement.elapsed >= 300_000_000)
        #expect(measurement.rate > 0)
        #expect(measurement.seconds(at: 50) > 0 && measurement.seconds(at: 50) <= measurement.seconds(at: 100))
        // In a closed loop every connection has its requests under way, unless a reply has just come.
        #expect(measurement.unanswered <= 6)
        #expect(server.connections == 3)
        #expect(
            server.lines == [
                #"{"op":"token","subject":"a\"b","tenant":"main"}"#, #"{"op":"token","subject":"c/d","tenant":"main"}"#,
            ]
        )
        try await server.stop()
    }

    @Test("Errors are counted by their codes, beside the tokens.")
    func errors() async throws {
        let count = Mutex(0)
        let server = try await ScriptedServer { _ in
            let number = count.withLock { count in
                count += 1
                return count
            }
            return number % 2 == 0 ? Self.token : #"{"error":"rate_limited","error_description":"wait"}"#
        }
        let measurement = try await load(server.path).run()
        #expect(Array(measurement.errors.keys) == ["rate_limited"])
        #expect(measurement.tokens > 0)
        try await server.stop()
    }

    @Test("A load ends when it is stopped, with what was measured so far.")
    func stop() async throws {
        let replies = Mutex(0)
        let load = Mutex<Load?>(nil)
        let server = try await ScriptedServer { _ in
            let number = replies.withLock { count in
                count += 1
                return count
            }
            if number == 100 { load.withLock { $0 }?.stop() }
            return Self.token
        }
        let long = try self.load(server.path, time: .seconds(600))
        load.withLock { $0 = long }
        let measurement = try await long.run()
        #expect(measurement.elapsed < 600_000_000_000)
        #expect(measurement.replies > 0)
        try await server.stop()
    }

    @Test("A load ends when the daemon has closed all connections, and they count as lost.")
    func lost() async throws {
        let server = try await ScriptedServer { _ in nil }
        let measurement = try await load(server.path, time: .seconds(600)).run()
        #expect(measurement.lostConnections == 3)
        #expect(measurement.replies == 0 && measurement.rate == 0 && measurement.seconds(at: 99) == 0)
        try await server.stop()
    }

    @Test("A daemon that isn't there is an error.")
    func absent() async throws {
        await #expect(throws: UnixConnection.Fault(code: ENOENT)) {
            _ = try await load("/nonexistent/socket").run()
        }
    }

    @Test("Requests that are larger than the socket's room are sent when there is room again.")
    func largeRequests() async throws {
        let server = try await ScriptedServer { _ in Self.token }
        let subject = String(repeating: "x", count: 1_000)
        let load = try load(server.path, connections: 1, pipeline: 1_000, threads: 1, subjects: [subject])
        let measurement = try await load.run()
        #expect(measurement.lostConnections == 0)
        #expect(measurement.tokens > 0)
        #expect(server.lines.count == 1)
        try await server.stop()
    }
}
