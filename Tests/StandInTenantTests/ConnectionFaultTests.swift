import NIOCore
import NIOPosix
import StandInTenant
import Testing

@Suite("Connections that fail", .timeLimit(.minutes(1)))
struct ConnectionFaultTests {
    /// The extent of a reply that is cut off.
    enum Extent: CaseIterable {
        case nothing
        case partOfHead
        case head
        case partOfBody
    }

    static let cuts: [(name: String, extent: Extent)] = [
        ("before", .nothing), ("within-head", .partOfHead), ("after-head", .head), ("within-body", .partOfBody),
    ]

    @Test("A reply is cut off where the behaviour says, by RST or by FIN.", arguments: ["reset", "close"], cuts)
    func cut(_ end: String, _ cut: (name: String, extent: Extent)) async throws {
        try await withStandInTenant { tenant in
            let (received, ending) = try await withConnection(to: tenant) { connection in
                connection.send(request(body: mintBody("\(end)-\(cut.name):alice")))
                let ending = try await connection.ending()
                return (connection.received, ending)
            }
            #expect(ending == (end == "reset" ? .reset : .closed))
            // Bytes sent before a reset may be lost with it, but over loopback they aren't.
            #expect(Self.extent(of: received) == cut.extent)
            #expect(await tenant.counters.mints == (cut.extent == .partOfBody ? 1 : 0))
            try await tenant.wait { $0.openConnections == 0 && $0.inProgress == 0 }
            #expect(await tenant.violations == [])
        }
    }

    private static func extent(of bytes: [UInt8]) -> Extent {
        guard !bytes.isEmpty else { return .nothing }
        guard let reply = RawReply(bytes) else { return .partOfHead }
        return reply.body.isEmpty ? .head : .partOfBody
    }

    @Test("TLS changes nothing about a reset.")
    func resetUnderTLS() async throws {
        try await withStandInTenant(.init(tls: .valid)) { tenant in
            let authority = tenant.certificateAuthorityPEM
            let ending = try await withConnection(to: tenant, trusting: authority) { connection in
                connection.send(request(body: mintBody("reset-after-head:alice")))
                return try await connection.ending()
            }
            #expect(ending == .reset)
        }
    }

    @Test(
        "What hangs has sent what it says and no more, and doesn't keep the stand-in from stopping.",
        arguments: [
            ("never", 0, 0), ("never-after-head", 2, 0), ("slow-head-3600000", 1, 1), ("drip-3600000", 2, 1),
            ("after-3600000+ok", 0, 0),
        ]
    )
    func hanging(_ script: String, lineEnds: Int, mints: Int) async throws {
        try await withStandInTenant { tenant in
            let (received, ending) = try await withConnection(to: tenant) { connection in
                connection.send(request(body: mintBody(script + ":alice")))
                try await tenant.wait { $0.inProgress == 1 }
                let ends = ["", "\r\n", "\r\n\r\n"][lineEnds]
                try await connection.receive { bytes in String(decoding: bytes, as: UTF8.self).hasSuffix(ends) }
                try await tenant.stop()
                let ending = try await connection.ending()
                return (String(decoding: connection.received, as: UTF8.self), ending)
            }
            #expect(ending == .reset)
            #expect(received.hasSuffix(["", "\r\n", "\r\n\r\n"][lineEnds]))
            #expect(received.isEmpty == (lineEnds == 0))
            #expect(await tenant.counters.inProgress == 0)
            #expect(await tenant.counters.openConnections == 0)
            #expect(await tenant.counters.mints == mints)
        }
    }

    @Test("A client that leaves ends its call.")
    func clientLeaves() async throws {
        try await withStandInTenant { tenant in
            try await withConnection(to: tenant) { connection in
                connection.send(request(body: mintBody("never:alice")))
                try await tenant.waitForCalls(count: 1)
            }
            try await tenant.wait { $0.inProgress == 0 && $0.openConnections == 0 }
            #expect(await tenant.mintCount(value: "alice") == 0)
        }
    }

    @Test("A client that leaves in the middle of its request breaks no rule, and one that speaks no HTTP does.")
    func malformed() async throws {
        try await withStandInTenant { tenant in
            try await withConnection(to: tenant) { connection in
                connection.send(Array(request(body: mintBody("alice")).dropLast(9)))
                try await tenant.wait { $0.openConnections == 1 }
            }
            try await tenant.wait { $0.openConnections == 0 }
            #expect(await tenant.violations == [])
            let ending = try await withConnection(to: tenant) { connection in
                connection.send(Array("hello\r\n\r\n".utf8))
                return try await connection.ending()
            }
            #expect(ending == .closed)
            #expect(await tenant.violations.count == 1)
        }
    }

    @Test("A stand-in that stops listening refuses connections, resets those it has, and comes back on its port.")
    func refusal() async throws {
        try await withStandInTenant { tenant in
            try await withConnection(to: tenant) { connection in
                connection.send(request(body: mintBody("alice")))
                _ = try await connection.reply()
                try await tenant.stopListening()
                #expect(try await connection.ending() == .reset)
            }
            await #expect(throws: NIOConnectionError.self) { _ = try await mint(tenant, "bob") }
            try await tenant.startListening()
            #expect(try await mint(tenant, "bob").status == 200)
            #expect(await tenant.counters.calls == 2)
        }
    }

    @Test("A subject may have all connections refused for a while.")
    func refusedForAWhile() async throws {
        try await withStandInTenant { tenant in
            let ending = try await withConnection(to: tenant) { connection in
                connection.send(request(body: mintBody("refused-3600000:alice")))
                return try await connection.ending()
            }
            #expect(ending == .reset)
            await #expect(throws: NIOConnectionError.self) { _ = try await mint(tenant, "bob") }
            try await tenant.startListening()
            _ = try? await withConnection(to: tenant) { connection in
                connection.send(request(body: mintBody("refused-1:alice")))
                return try await connection.ending()
            }
            var status: Int?
            while status == nil { status = try? await mint(tenant, "bob").status }
            #expect(status == 200)
        }
    }
}
