import Foundation
import Tenant
import Testing
import TokenCache
import TokenProtocol

@Suite("Answers as servers and proxies alter them")
struct AlteredAnswerTests {
    /// A token reply.
    private static let gzip = """
        H4sIAAAAAAACA6tWSkxOTi0uji/Jz07NU7JSSkxKVtJRAvPiSyoLUoFCTqmJRalFQNHUioLMotTi+EygQmMzA4NaABJIF4o+AAAA
        """
    /// The same in zlib's form, which HTTP calls `deflate`.
    private static let deflate = """
        eJyrVkpMTk4tLo4vyc9OzVOyUkpMSlbSUQLz4ksqC1KBQk6piUWpRUDR1IqCzKLU4vhMoEJjMwODWgCoORT9
        """
    /// A token reply of 65,536 bytes.
    private static let largest = """
        H4sIAAAAAAACA+3GwQ1AQBAAwF72rQLNyFr3knDJ+Yne6cPMa+7IqjbGcp17O2KOXCum6Ll97wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAPxDPC8kBcNKAAABAA==
        """
    /// One byte more.
    private static let tooLarge = """
        H4sIAAAAAAACA+3GwQ1AQBAAwF72rQLNyFr3knDJ+Yne6cPMa+7IqjbGcp17O2KOXCum6Ll97wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAPxEPC+dfuSSAQABAA==
        """
    /// A MiB, in 1,072 bytes.
    private static let bomb = """
        H4sIAAAAAAACA+3BsQ0AEBAAwF1+DMuIiEpCQSd2N4T27k6UWttaec/eRqQoAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACf4j4BfzDBEwAQAA==
        """

    private func mint(_ steps: [PlayedServer.Step]) async throws -> MintOutcome {
        try await PlayedServer.run { _ in
            steps
        } _: { server in
            try await withClient(of: server.origin) { await $0.mint() }
        }
    }

    private func mint(compressed text: String, as coding: String) async throws -> MintOutcome {
        let bytes = try Array(#require(Data(base64Encoded: text)))
        return try await mint([PlayedServer.answer(bytes, fields: ["content-encoding: \(coding)"])])
    }

    @Test("A denial that repeats the client's secret is passed on without the text that contains it.")
    func echo() async throws {
        let body = #"{"errors":[{"code":"no secret","title":"for {\"client_secret\":\"secret\"}"}]}"#
        let outcome = try await mint([PlayedServer.answer(Array(body.utf8), status: "400 Bad Request")])
        let upstream = try #require(outcome.upstream)
        #expect(upstream == ErrorReply.Upstream(status: 400))
        let other = #"{"errors":[{"code":"OAUTH-10","title":"User not found"}]}"#
        let plain = try await mint([PlayedServer.answer(Array(other.utf8), status: "400 Bad Request")])
        #expect(plain.upstream == ErrorReply.Upstream(status: 400, code: "OAUTH-10", title: "User not found"))
    }

    @Test("The client asks for no compression.")
    func identity() async throws {
        try await PlayedServer.run { _ in
            [PlayedServer.token]
        } _: { server in
            try await withClient(of: server.origin) { client in
                _ = await client.mint()
                let request = try #require(server.requests.first?.lowercased())
                #expect(request.contains("\r\naccept-encoding: identity\r\n"))
            }
        }
    }

    @Test(
        "A compressed answer is decompressed.",
        arguments: [(gzip, "gzip"), (gzip, "GZIP"), (deflate, "deflate"), (largest, "gzip")]
    )
    func compressed(text: String, coding: String) async throws {
        #expect(try await mint(compressed: text, as: coding).isMinted)
    }

    @Test("The bound on an answer's size counts what is decompressed.", arguments: [tooLarge, bomb])
    func bound(text: String) async throws {
        #expect(try await mint(compressed: text, as: "gzip").reason == "the tenant's answer is larger than 65536 bytes")
    }

    @Test("An answer that can't be decompressed is malformed.", arguments: ["AAAA", String(gzip.prefix(40))])
    func undecodable(text: String) async throws {
        let outcome = try await mint(compressed: text, as: "gzip")
        #expect(outcome == .failed(.malformed("the tenant's answer is compressed, and can't be decompressed")))
    }

    @Test("A Retry-After may have white space around it.", arguments: ["13 ", "\t13", "  13\t ", " 13"])
    func retryAfter(value: String) async throws {
        let answer = PlayedServer.answer([], status: "429 Too Many Requests", fields: ["retry-after:\(value)"])
        #expect(try await mint([answer]) == .failed(.throttled(retryAfter: .seconds(13))))
    }

    @Test(
        "An answer that is not HTTP has a code of its own.",
        arguments: ["SSH-2.0-OpenSSH_9.6\r\n", "<html>\r\n\r\n"]
    )
    func notHTTP(bytes: String) async throws {
        let outcome = try await mint([.send(Array(bytes.utf8)), .close])
        #expect(outcome.code == "not_http")
        #expect(outcome.reason == "the tenant's answer is not HTTP")
    }
}
