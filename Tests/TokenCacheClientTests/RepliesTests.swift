import Foundation
import NIOCore
import Testing

@testable import TokenCacheClient

/// The conformance suite's single lines of a daemon, most of them malformed.
@Suite("Replies to the Swift client")
struct RepliesTests {
    /// A JSON value of the suite or of a result.
    private enum Value: Decodable, Equatable {
        case null
        case flag(Bool)
        case number(Double)
        case text(String)
        case object([String: Value])

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if value.decodeNil() {
                self = .null
            } else if let flag = try? value.decode(Bool.self) {
                self = .flag(flag)
            } else if let number = try? value.decode(Double.self) {
                self = .number(number)
            } else if let text = try? value.decode(String.self) {
                self = .text(text)
            } else {
                self = .object(try value.decode([String: Value].self))
            }
        }

        init(_ flag: Bool) { self = .flag(flag) }
        init(_ number: Double?) { self = number.map(Value.number) ?? .null }
        init(_ text: String?) { self = text.map(Value.text) ?? .null }
    }

    private struct File: Decodable { let cases: [Case] }

    private struct Case: Decodable {
        let name: String
        let operation: String
        let line: String
        let answer: [String: Value]?
        let error: [String: Value]?
        let pending: Bool?
        let ends: Bool?
    }

    /// The outcome of the call.
    private struct Outcome {
        var isConnectionUsable: Bool
        var answer: [String: Value]?
        var error: [String: Value]?
    }

    /// The effect of a line on the call with the id 1, the only one on its connection.
    private func outcome(_ operation: String, _ line: String) throws -> Outcome {
        var exchange = Exchange<Int>()
        let request = try RequestLine(TokenCacheClient.Request(operation, user: .subject("alice")))
        exchange.add(Exchange.Call(line: request, deadline: .uptimeNanoseconds(0) + .seconds(10), caller: 1), id: 1)
        exchange.connected(1)
        var lines = ByteBuffer()
        exchange.send(on: 1, at: .uptimeNanoseconds(0), into: &lines)
        let effect = exchange.receive([ByteBuffer(string: line)], on: 1)
        var outcome = Outcome(isConnectionUsable: effect.isConnectionUsable)
        guard let completion = effect.completions.first else { return outcome }
        do {
            outcome.answer = try answer(in: try completion.result.get(), to: operation)
        } catch let error as TokenCacheError {
            let upstream = error.upstream.map { upstream in
                Value.object([
                    "status": Value(upstream.status.map(Double.init)), "code": Value(upstream.code),
                    "title": Value(upstream.title),
                ])
            }
            outcome.error = [
                "code": Value(error.code.rawValue), "description": Value(error.message),
                "retry_after": Value(error.retryAfter?.inSeconds), "upstream": upstream ?? .null,
            ]
        }
        return outcome
    }

    private func answer(in reply: Data, to operation: String) throws -> [String: Value] {
        switch operation {
        case "token":
            let token = try TokenCacheClient.Token(reply: reply, to: operation)
            return [
                "access_token": Value(token.accessToken), "expires_in": Value(token.expiresIn.inSeconds),
                "stale": Value(token.isStale), "min_ttl_met": Value(token.meetsMinTTL),
            ]
        case "prefetch":
            _ = try TokenCacheClient.Prefetch(reply: reply, to: operation)
            return [:]
        case "invalidate":
            let done = try TokenCacheClient.Invalidation(reply: reply, to: operation)
            return ["invalidated": Value(done.invalidated), "retry_after": Value(done.retryAfter?.inSeconds)]
        case "revoke":
            let done = try TokenCacheClient.Revocation(reply: reply, to: operation)
            return [
                "revoked": Value(done.revoked), "upstream": Value(done.revokedUpstream),
                "upstream_revoked": Value(done.upstreamRevoked.map(Double.init)),
            ]
        case "provision":
            let user = try TokenCacheClient.ProvisionedUser(reply: reply, to: operation)
            return [
                "user_id": Value(user.userID), "status": Value(user.status.rawValue), "created": Value(user.created),
                "groups_changed": Value(user.groupsChanged), "source": Value(user.source.rawValue),
            ]
        default:
            _ = try TokenCacheClient.Hello(reply: reply, to: operation)
            return [:]
        }
    }

    @Test("Each line of the conformance suite has the effect that the suite says.")
    func suite() throws {
        let root = URL(filePath: #filePath).appending(path: "../../..").standardized
        let data = try Data(contentsOf: root.appending(path: "Clients/conformance/replies.json"))
        let cases = try JSONDecoder().decode(File.self, from: data).cases
        #expect(cases.count > 100)
        for each in cases {
            let outcome = try outcome(each.operation, each.line)
            let name = Comment(rawValue: "\(each.operation): \(each.name)")
            #expect(outcome.isConnectionUsable != (each.ends ?? false), name)
            #expect((outcome.answer != nil) == (each.answer != nil), name)
            #expect((outcome.error != nil) == (each.error != nil), name)
            for (member, value) in each.answer ?? [:] { #expect(outcome.answer?[member] == value, name) }
            for (member, value) in each.error ?? [:] { #expect(outcome.error?[member] == value, name) }
        }
    }

    @Test(
        "A line with an invalid string is no reply, even if nobody asks for that string.",
        arguments: [
            #"{"id":1,"revoked":true,"x":"\q"}"#, #"{"id":1,"revoked":true,"x":"\u12g4"}"#,
            "{\"id\":1,\"revoked\":true,\"x\":\"\t\"}", #"{"id":1,"revoked":true,"\q":1}"#,
            #"{"id":1,"revoked":true,"x":"\"#,
            "\u{0}{\"id\":1,\"revoked\":true}",
        ]
    )
    func invalidStrings(line: String) throws {
        let outcome = try outcome("revoke", line)
        #expect(!outcome.isConnectionUsable)
        #expect(outcome.error?["code"] == .text("bad_reply"))
    }

    @Test("White space between members and escapes in strings are valid.")
    func escapes() throws {
        let line =
            "\t{ \"id\" : 1 ,\r\"revoked\":\ttrue,\"x\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\uD83C\\uDCA1\\uD800\"} "
        #expect(try outcome("revoke", line).answer?["revoked"] == .flag(true))
    }

    @Test("A line that is nested too deeply is no reply.")
    func nesting() throws {
        let nested = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
        let outcome = try outcome("revoke", #"{"id":1,"revoked":true,"x":\#(nested)}"#)
        #expect(!outcome.isConnectionUsable)
    }

    @Test(
        "The text of an error has what the tenant said.",
        arguments: [
            ("OAUTH-10", "User not found", "denied: no (OAUTH-10: User not found)"),
            ("OAUTH-10", nil, "denied: no (OAUTH-10)"), (nil, "User not found", "denied: no (User not found)"),
            (nil, "", "denied: no"), (nil, nil, "denied: no"),
        ] as [(String?, String?, String)]
    )
    func text(_ code: String?, _ title: String?, _ text: String) {
        let upstream = TokenCacheError.Upstream(status: 401, code: code, title: title)
        #expect("\(TokenCacheError(.denied, "no", upstream: upstream))" == text)
        #expect("\(TokenCacheError(.denied, "no"))" == "denied: no")
    }

    @Test("If the tenant did not answer, there is a code and no status.")
    func upstreamWithoutStatus() throws {
        let line = #"{"id":1,"error":"unavailable","error_description":"no","upstream":{"code":"tls_expired"}}"#
        let upstream = try outcome("token", line).error?["upstream"]
        #expect(upstream == .object(["status": .null, "code": .text("tls_expired"), "title": .null]))
    }
}
