import Foundation
import TestSupport
import Testing
import TokenCacheClient

@Suite("Guide and README of the Swift client")
struct GuideTests {
    private static let root = URL(filePath: #filePath).appending(path: "../../..").standardized

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// The lines without indentation and without empty ones.
    private static func lines(_ text: some StringProtocol) -> [String] {
        text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }

    /// The blocks of Swift code in a text in Markdown, or in the documentation comments of a source.
    private static func blocks(in path: String) throws -> [[String]] {
        var blocks: [[String]] = []
        var block: [String]?
        for line in try text(path).split(separator: "\n") {
            let line = line.trimmingPrefix { $0 == " " }.trimmingPrefix("///").trimmingPrefix { $0 == " " }
            if let lines = block {
                block = line == "```" ? nil : lines + [String(line)]
                if line == "```" { blocks.append(lines) }
            } else if line == "```swift" {
                block = []
            }
        }
        return blocks.map { $0.filter { !$0.isEmpty } }
    }

    private static let catalogue = "Sources/TokenCacheClient/Documentation.docc"

    @Test(
        "The examples in the documentation are code that compiles.",
        arguments: [
            "\(catalogue)/TokenCacheClient.md", "\(catalogue)/GettingStarted.md", "Clients/swift/README.md",
            "Sources/TokenCacheClient/TokenCacheClient.swift", "Sources/TokenCacheClient/TokenCacheError.swift",
        ]
    )
    func examplesCompile(path: String) throws {
        let compiled = Self.lines(try Self.text("Tests/TokenCacheClientTests/GuideExamples.swift"))
        let blocks = try Self.blocks(in: path)
        #expect(!blocks.isEmpty)
        for block in blocks where !block.contains(where: { $0.hasPrefix(".package(") }) {
            let code = block.filter { !$0.hasPrefix("import ") }
            let isCompiled = compiled.indices.contains { compiled[$0...].starts(with: code) }
            #expect(isCompiled, "GuideExamples.swift does not have: \(code.joined(separator: "\n"))")
        }
    }

    @Test(
        "The dependency in the documentation names this package and its product.",
        arguments: ["\(catalogue)/GettingStarted.md", "Clients/swift/README.md"]
    )
    func dependency(path: String) throws {
        let manifest = try Self.text("Package.swift")
        #expect(manifest.contains(#"name: "tokencached""#))
        #expect(manifest.contains(#".library(name: "TokenCacheClient""#))
        let text = try Self.text(path)
        #expect(text.contains(#".product(name: "TokenCacheClient", package: "tokencached")"#))
        let version = try #require(text.firstMatch(of: /tokencached\.git", from: "([0-9.]+)"/)).1
        #expect(try Self.text("Clients/node/package.json").contains(#""version": "\#(version)""#))
    }

    // MARK: The examples at work

    /// Answers requests for tokens with their number.
    ///
    /// Each other request has done what it asks for.
    private func withBackend(
        _ respond: @escaping @Sendable (String, String) -> Response = { _, _ in Response(status: 200) },
        _ body: (Backend) async throws -> Void
    ) async throws {
        let server = try await ScriptedServer { line in
            let id = line.id
            switch line.op {
            case "token":
                let members =
                    #""token_type":"Bearer","expires_in":5,"expires_at":"x","scope":"s","source":"cache""#
                return .send([#"{"id":\#(id),"access_token":"t\#(id)",\#(members)}"# + "\n"])
            case "invalidate": return .send([#"{"id":\#(id),"invalidated":true}"# + "\n"])
            default: return .send([#"{"id":\#(id),"revoked":true,"upstream":false}"# + "\n"])
            }
        }
        let backend = Backend(cache: TokenCacheClient(path: server.path), api: API(respond: respond))
        try await body(backend)
        await backend.shutDown()
        try await server.stop()
    }

    @Test("A token that the API refuses is reported, and the API is called with another one.")
    func refusedToken() async throws {
        try await withBackend { _, token in
            Response(status: token == "t1" ? 401 : 200)
        } _: { backend async throws in
            #expect(try await backend.items(of: .subject("alice")) == Response(status: 200))
            #expect(try await backend.accessToken(of: "alice", refused: nil) == "t3")
            #expect(try await backend.accessToken(of: "alice", refused: "00ff") == "t4")
            try await backend.logOut(.subject("alice"))
        }
    }

    @Test("An error becomes a status, with a delay that is not too short.")
    func statuses() async throws {
        try await withBackend { backend async throws in
            let limited = TokenCacheError(.rateLimited, "later", retryAfter: .milliseconds(12_500))
            #expect(backend.response(to: limited) == Response(status: 503, headers: ["retry-after": "13"]))
            #expect(backend.response(to: TokenCacheError(.forbidden, "no")).status == 403)
            #expect(backend.response(to: TokenCacheError(.unknownTenant, "no")).status == 500)
            #expect(backend.response(to: TokenCacheError(.init(rawValue: "new"), "no")).status == 503)
        }
    }

    @Test("A double fails as the daemon would.")
    func double() async throws {
        let error = await #expect(throws: TokenCacheError.self) {
            try await Doubles.throttled.accessToken(of: "alice")
        }
        #expect(error?.retryAfter == .seconds(13))
    }
}
