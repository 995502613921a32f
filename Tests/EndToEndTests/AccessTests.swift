import Foundation
import OperatorReplies
import StandInTenant
import TestSupport
import Testing

@Suite("Access rules, by the real daemon", .serialized, .enabled(if: OtherUser.isAvailable, OtherUser.reason))
struct AccessTests {
    private static let token = #"{"op":"token","subject":"ann"}"#

    @Test(
        "The first rule that matches a peer by uid, gid or a further group decides. Without one it may only call hello."
    )
    func rules() async throws {
        let deployment = try await Deployment.startOpen(
            """
            access:
              - { users: [40001], subjects: ["a*"], operations: [token] }
              - { groups: [40010], subjects: ["*"], scopes: [user_default, "admin.users"] }
              - { users: [40001], subjects: ["*"] }
            """
        )
        let path = deployment.requestsPath
        let first = try OtherUser(uid: 40_001, gid: 40_010).ask(
            path,
            Self.token,
            #"{"op":"token","subject":"bob"}"#,
            #"{"op":"token","user_id":"a"}"#,
            #"{"op":"prefetch","subjects":["a"]}"#,
            #"{"op":"hello"}"#
        )
        #expect(first[0]["access_token"] != nil)
        #expect(first[1...3].map { $0["error"] as? String } == ["forbidden", "forbidden", "forbidden"])
        #expect(first[4]["ops"] as? [String] == ["token", "hello"])
        for member in [OtherUser(uid: 40_002, gid: 40_010), OtherUser(uid: 40_003, gid: 1, groups: [7, 40_010])] {
            let replies = try member.ask(path, #"{"op":"token","subject":"bob","scope":"admin.users"}"#, Self.token)
            #expect(replies.allSatisfy { $0["access_token"] != nil }, "\(replies)")
        }
        let outsider = try OtherUser(uid: 40_004, gid: 40_011).ask(path, Self.token, #"{"op":"hello"}"#)
        #expect(outsider[0]["error"] as? String == "forbidden")
        #expect(outsider[1]["ops"] as? [String] == ["hello"])
        #expect(outsider[1]["tenants"] as? [String] == [])
        try await deployment.stop()
    }

    @Test(
        "A hit is forbidden to a peer without the right to it, and a reload takes a right away on an open connection."
    )
    func hitsAndReloads() async throws {
        let deployment = try await Deployment.startOpen(
            #"access: [{ users: ["\#(geteuid())", 40001], subjects: ["*"] }]"#
        )
        let client = try deployment.requests()
        #expect(try client.ask(Self.token)["source"] as? String == "tenant")
        #expect(try client.ask(Self.token)["source"] as? String == "cache")
        let outsider = try OtherUser(uid: 40_002, gid: 1).ask(deployment.requestsPath, Self.token, Self.token)
        #expect(outsider.map { $0["error"] as? String } == ["forbidden", "forbidden"])
        try deployment.directory.write(
            Deployment.configuration(deployment.tenant, deployment.directory, settings: "access: [{ users: [40001] }]"),
            to: "c.yaml"
        )
        #expect(try deployment.admin().ask(#"{"op":"reload"}"#)["reloaded"] as? Bool == true)
        #expect(try client.ask(Self.token)["error"] as? String == "forbidden")
        try await deployment.stop()
    }

    @Test("An unknown name widens nobody's rights: a peer that it could mean gets only what the rules before it give.")
    func namesFailClosed() async throws {
        let deployment = try await Deployment.startOpen(
            """
            access:
              - { users: [40003], subjects: ["*"] }
              - { users: [no-such-user-here] }
              - { users: ["*"], subjects: ["*"] }
            """
        )
        let known = try deployment.requests()
        #expect(try known.ask(Self.token)["access_token"] != nil, "root has a name, which is another")
        for (uid, isGiven) in [(40_001, false), (40_003, true)] {
            let reply = try OtherUser(uid: uid, gid: 40_001).ask(deployment.requestsPath, Self.token)[0]
            #expect((reply["access_token"] != nil) == isGiven, "\(reply)")
            if !isGiven { #expect(reply["error"] as? String == "forbidden") }
        }
        let health = try deployment.admin().health()
        #expect(health.status == .degraded)
        let check = try #require(health.checks.first { $0.name == "access" })
        let description = try #require(check.description)
        #expect(description.contains("access[1]") && description.contains("no-such-user-here"), "\(description)")
        try await deployment.stop()
    }

    @Test("Without rules any peer gets each tenant's own scopes and no other.")
    func withoutRules() async throws {
        let deployment = try await Deployment.startOpen("")
        let replies = try OtherUser(uid: 40_001, gid: 40_001).ask(
            deployment.requestsPath,
            Self.token,
            #"{"op":"token","subject":"ann","scope":"user_default admin.users"}"#
        )
        #expect(replies[0]["access_token"] != nil)
        #expect(replies[1]["error"] as? String == "forbidden")
        try await deployment.stop()
    }

    @Test("The admin socket answers administrators and the daemon's own user, whatever its mode.")
    func administrators() async throws {
        let deployment = try await Deployment.startOpen("admin: { users: [40001] }", adminMode: "0666")
        let lines = [#"{"op":"health"}"#, #"{"op":"flush"}"#, Self.token, #"{"op":"hello"}"#]
        let path = deployment.adminPath
        let administrator = try OtherUser(uid: 40_001, gid: 1).ask(path, lines[0], lines[1], lines[2], lines[3])
        #expect(administrator[0]["status"] as? String == "ok")
        #expect(administrator[1]["flushed"] as? Int == 0)
        #expect(administrator[2]["access_token"] != nil)
        #expect((administrator[3]["ops"] as? [String])?.contains("flush") == true)
        let other = try OtherUser(uid: 40_002, gid: 1).ask(path, lines[0], lines[1], lines[2], lines[2], lines[3])
        #expect(other[0...3].allSatisfy { $0["error"] as? String == "forbidden" })
        #expect(other[4]["ops"] as? [String] == ["hello"])
        #expect(try deployment.admin().ask(#"{"op":"flush"}"#)["flushed"] as? Int == 1, "the daemon's own user, root")
        try await deployment.stop()
    }

    @Test("An unknown name is no fault. It is in the log, and matches nobody.")
    func unknownNames() async throws {
        let deployment = try await Deployment.startOpen(
            #"access: [{ users: [no-such-user, nobody], groups: [no-such-group], subjects: ["*"] }]"#
        )
        #expect(deployment.written.contains("names user 'no-such-user', group 'no-such-group', which this machine"))
        let path = deployment.requestsPath
        #expect(try OtherUser(uid: 65_534, gid: 1).ask(path, Self.token)[0]["access_token"] != nil)
        #expect(try OtherUser(uid: 40_001, gid: 1).ask(path, Self.token)[0]["error"] as? String == "forbidden")
        try await deployment.stop()
    }

    @Test("Mints, refusals and revocations are in the audit trail with their peers, and hits are not.")
    func trail() async throws {
        let deployment = try await Deployment.startOpen(
            """
            audit: { to: "\(NSTemporaryDirectory())tkc-\(UUID().uuidString)" }
            access: [{ users: [40001], subjects: ["*"] }]
            """
        )
        let configuration = try String(contentsOfFile: deployment.configurationPath, encoding: .utf8)
        let path = String(try #require(configuration.firstMatch(of: /audit: \{ to: "([^"]+)"/)?.1))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let user = OtherUser(uid: 40_001, gid: 40_010)
        let token = try #require(
            try user.ask(deployment.requestsPath, Self.token, Self.token)[1]["access_token"] as? String
        )
        _ = try OtherUser(uid: 40_002, gid: 1).ask(deployment.requestsPath, #"{"op":"token","subject":"x\ny"}"#)
        _ = try user.ask(deployment.requestsPath, #"{"op":"revoke","subject":"ann"}"#)
        _ = try deployment.admin().ask(#"{"op":"flush"}"#)
        _ = try deployment.admin().ask(#"{"op":"reload"}"#)
        try await deployment.stop()
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let records = try text.split(separator: "\n").map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
        #expect(records.map { $0["event"] as? String } == ["mint", "refusal", "revocation", "flush", "reload"])
        #expect(records.map { $0["peer_uid"] as? Int } == [40_001, 40_002, 40_001, Int(geteuid()), Int(geteuid())])
        #expect(records[0]["token_fingerprint"] as? String == records[2]["token_fingerprint"] as? String)
        #expect(records[1]["subject"] as? String == "x\ny")
        #expect(records[2]["outcome"] as? String == "revoked")
        #expect(!text.contains(token))
    }
}
