import Foundation
import NIOCore
import Testing

@testable import TokenCacheClient

@Suite("Requests of the Swift client")
struct RequestTests {
    private typealias Request = TokenCacheClient.Request

    private func members(_ request: Request) throws -> [String: Any] {
        var line = ByteBuffer()
        try RequestLine(request).write(id: 7, left: .seconds(3), into: &line)
        return try #require(JSONSerialization.jsonObject(with: Data(line.readableBytesView)) as? [String: Any])
    }

    private func text(_ members: [String: Any]) throws -> String {
        let data = try JSONSerialization.data(withJSONObject: members, options: .sortedKeys)
        return String(decoding: data, as: UTF8.self)
    }

    @Test(
        "An owner of tokens has exactly one member.",
        arguments: [
            (.subject("a"), #"{"id":7,"op":"evict","subject":"a"}"#),
            (.userID("a"), #"{"id":7,"op":"evict","user_id":"a"}"#),
            (.client("a"), #"{"client":"a","id":7,"op":"evict"}"#),
        ] as [(TokenCacheClient.User, String)]
    )
    func owner(user: TokenCacheClient.User, line: String) throws {
        #expect(try text(members(Request("evict", user: user))) == line)
    }

    @Test("A user to provision has what was given, and nothing else. An empty list of groups is given.")
    func provision() throws {
        var request = Request("provision", user: .subject("ann"), tenant: "t")
        #expect(try text(members(request)) == #"{"id":7,"op":"provision","subject":"ann","tenant":"t","timeout":3}"#)
        request.name = "Ann"
        request.email = "ann@x.example"
        request.groups = []
        let all = try members(request)
        #expect(all.count == 8)
        #expect(all["name"] as? String == "Ann" && all["email"] as? String == "ann@x.example")
        #expect((all["groups"] as? [String])?.isEmpty == true)
    }

    @Test("Only requests that wait for the tenant say how long.", arguments: ["token", "provision", "revoke", "hello"])
    func timeout(operation: String) throws {
        #expect(try (members(Request(operation))["timeout"] != nil) == ["token", "provision"].contains(operation))
    }

    @Test("A logout is everywhere only if that was asked for.")
    func everywhere() throws {
        var request = Request("revoke", user: .subject("ann"))
        #expect(try members(request)["everywhere"] == nil)
        request.everywhere = true
        #expect(try members(request)["everywhere"] as? Bool == true)
    }

    @Test("Clients are prefetched in several requests, too.")
    func clients() throws {
        var request = Request("prefetch")
        request.clients = (0..<1_001).map { "client \($0)" }
        let batches = try request.batches()
        #expect(batches.map { $0.clients?.count } == [1_000, 1])
        #expect(batches.flatMap { $0.clients ?? [] } == request.clients)
        request.subjects = ["ann"]
        #expect(try request.batches().count == 1)
    }
}
