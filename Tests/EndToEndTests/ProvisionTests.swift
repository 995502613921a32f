import Foundation
import StandInTenant
import TestSupport
import Testing

@Suite("Provisions and revocations everywhere, by the real daemon", .serialized)
struct DaemonProvisionTests {
    private static let everyOperation = "[token, prefetch, invalidate, revoke, provision]"

    private static func options(_ directory: TemporaryDirectory, _ provision: String) -> String {
        """
        clients:
          users: { client_id: users, client_secret: { file: \(directory.path("users")) }, scope: admin.users }
          admin: { client_id: admin, client_secret: { file: \(directory.path("admin")) } }
        \(provision)
        """
    }

    private static func settings(_ directory: TemporaryDirectory, _ operations: String) -> String {
        """
        access: [{ users: ["\(geteuid())"], subjects: ["a*", "DOMAIN\\\\*"], operations: \(operations) }]
        audit: { to: "\(directory.path("audit.jsonl"))" }
        """
    }

    private static let provision = #"provision: { client: users, groups: ["portal-*"], revoke_client: admin }"#

    /// Starts a daemon whose peer may provision, beside a tenant that has tokens only for users who exist.
    private func start() async throws -> Deployment {
        let deployment = try await Deployment.start()
        for name in ["users", "admin"] { try deployment.directory.write(name, to: name) }
        try await deployment.tenant.setClients(
            [
                .init(id: "users", secrets: ["users"], scopes: ["admin.users"]),
                .init(id: "admin", secrets: ["admin"], scopes: ["admin_classic"]),
            ]
        )
        await deployment.tenant.setUsers(.strict)
        try configure(deployment)
        return deployment
    }

    private func configure(
        _ deployment: Deployment,
        operations: String = everyOperation,
        provision: String = provision
    ) throws {
        let directory = deployment.directory
        try directory.write(
            Deployment.configuration(
                deployment.tenant,
                directory,
                settings: Self.settings(directory, operations),
                options: Self.options(directory, provision)
            ),
            to: "c.yaml"
        )
        #expect(try deployment.admin().ask(#"{"op":"reload"}"#)["reloaded"] as? Bool == true)
    }

    private func line(_ subject: String, _ members: String = "") -> String {
        #"{"op":"provision","subject":"\#(subject)"\#(members.isEmpty ? "" : ",\(members)")}"#
    }

    private func audit(_ deployment: Deployment) throws -> [[String: Any]] {
        let text = try String(contentsOfFile: deployment.directory.path("audit.jsonl"), encoding: .utf8)
        return try text.split(separator: "\n").map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
    }

    @Test("A new user is created and put into a group, gets a token at once, and is remembered.")
    func login() async throws {
        let deployment = try await start()
        defer { withExtendedLifetime(deployment.directory) {} }
        let client = try deployment.requests()
        let operations = try client.ask(#"{"op":"hello"}"#)["ops"] as? [String]
        #expect(operations?.contains("provision") == true)
        let token = #"{"op":"token","subject":"ann"}"#
        #expect(try client.ask(token)["error"] as? String == "denied")
        let members = #""name":"Ann Secret","email":"ann@secret.example","groups":["portal-emea"]"#
        let created = try client.ask(line("ann", members))
        let user = try #require(await deployment.tenant.users.first)
        #expect(created["user_id"] as? String == user.id && created["status"] as? String == "active")
        #expect(created["created"] as? Bool == true && created["groups_changed"] as? Bool == false)
        #expect(created["source"] == nil && created.count == 4)
        #expect((user.name, user.email, user.groups) == ("Ann Secret", "ann@secret.example", [.init("portal-emea")]))
        #expect(try client.ask(token)["source"] as? String == "tenant", "its denial is forgotten")
        let calls = await deployment.tenant.counters.calls
        let again = try client.ask(line("ann", members))
        #expect(again["source"] as? String == "cache" && again["created"] as? Bool == false)
        #expect(again["user_id"] as? String == user.id)
        #expect(await deployment.tenant.counters.calls == calls)
        try await deployment.stop()
        let records = try audit(deployment).filter { $0["event"] as? String == "provision" }
        #expect(records.map { $0["outcome"] as? String } == ["created", "changed"])
        #expect(records.allSatisfy { $0["subject"] as? String == "ann" && $0["peer_uid"] as? Int == Int(geteuid()) })
        #expect(records.last?["groups_added"] as? [String] == ["portal-emea"])
        let audit = try String(contentsOfFile: deployment.directory.path("audit.jsonl"), encoding: .utf8)
        for text in [audit, deployment.written] {
            #expect(!text.contains("Ann Secret") && !text.contains("secret.example"), "no name is written anywhere")
        }
    }

    @Test("Groups that the patterns cover are brought up to date, and others stay. A foreign group changes nothing.")
    func groups() async throws {
        let deployment = try await start()
        defer { withExtendedLifetime(deployment.directory) {} }
        let id = try await deployment.tenant.addUser(
            .init(subject: "ann", groups: [.init("portal-old"), .init("admins"), .init("idp", .identityProvider)])
        )
        let client = try deployment.requests()
        func groups() async -> [String] { await deployment.tenant.users.first?.groups.map(\.name).sorted() ?? [] }
        let untouched = try client.ask(line("ann"))
        #expect(untouched["user_id"] as? String == id && untouched["groups_changed"] as? Bool == false)
        #expect(await groups() == ["admins", "idp", "portal-old"])
        let foreign = try client.ask(line("ann", #""groups":["portal-new","admins2"]"#))
        #expect(foreign["error"] as? String == "forbidden")
        #expect(await groups() == ["admins", "idp", "portal-old"])
        for script in ["ok", "replace-only", "half-204", "half-400"] {
            try await deployment.tenant.setBehaviour(script == "ok" ? "ok" : "\(script)/ok", for: .changeUser)
            let name = "portal-\(script)"
            let changed = try client.ask(line("ann", #""groups":["\#(name)"]"#))
            #expect(changed["groups_changed"] as? Bool == true, "\(script): \(changed)")
            #expect(await groups() == ["admins", "idp", name].sorted(), "\(script)")
        }
        let none = try client.ask(line("ann", #""groups":[]"#))
        #expect(none["groups_changed"] as? Bool == true)
        #expect(await groups() == ["admins", "idp"])
        try await deployment.stop()
        let refusals = try audit(deployment).filter { $0["event"] as? String == "refusal" }
        #expect(refusals.map { $0["group_asked"] as? String } == ["admins2"])
    }

    @Test("Only a user whose subject is the same byte for byte is found, and one who is disabled stays so.")
    func subjects() async throws {
        let deployment = try await start()
        defer { withExtendedLifetime(deployment.directory) {} }
        let client = try deployment.requests()
        for subject in ["Ann", #"domain\bob"#] { try await deployment.tenant.addUser(.init(subject: subject)) }
        #expect(try client.ask(line("ann"))["created"] as? Bool == true)
        #expect(try client.ask(line(#"DOMAIN\\bob"#))["created"] as? Bool == true)
        #expect(await deployment.tenant.users.map(\.subject) == ["Ann", #"domain\bob"#, "ann", #"DOMAIN\bob"#])
        try await deployment.tenant.addUser(.init(subject: "adam", status: .disabled))
        try await deployment.tenant.addUser(.init(subject: "alf", status: .deleted))
        for (subject, code) in [("adam", "disabled"), ("alf", "deleted")] {
            let reply = try client.ask(line(subject))
            #expect(reply["error"] as? String == "denied")
            #expect(reply["upstream"] as? [String: String] == ["code": code])
        }
        for _ in 0..<2 { try await deployment.tenant.addUser(.init(subject: "amy")) }
        #expect(try client.ask(line("amy"))["error"] as? String == "conflict")
        #expect(try client.ask(line("bob"))["error"] as? String == "forbidden")
        #expect(await deployment.tenant.users.count == 8)
        try await deployment.stop()
    }

    @Test("Races and faults of a creation end with one user.")
    func races() async throws {
        let deployment = try await start()
        defer { withExtendedLifetime(deployment.directory) {} }
        let client = try deployment.requests()
        for (subject, script) in [("ada", "faster"), ("abe", "lost"), ("ann", "invited")] {
            try await deployment.tenant.setBehaviour("\(script)/ok", for: .createUser)
            var reply = try client.ask(line(subject))
            if script == "lost", reply["error"] != nil { reply = try client.ask(line(subject)) }
            #expect(reply["user_id"] != nil, "\(script): \(reply)")
            #expect(reply["status"] as? String == (script == "invited" ? "invited" : "active"), "\(script)")
            #expect(await deployment.tenant.users.filter { $0.subject == subject }.count == 1)
        }
        try await deployment.stop()
    }

    @Test("A logout everywhere revokes the tokens that were minted elsewhere, and nobody else's.")
    func everywhere() async throws {
        let deployment = try await start()
        defer { withExtendedLifetime(deployment.directory) {} }
        let client = try deployment.requests()
        for subject in ["ann", "adam"] { #expect(try client.ask(line(subject))["created"] as? Bool == true) }
        let users = await deployment.tenant.users
        // Tokens of another daemon's: this one drops them without revoking them.
        for _ in 0..<3 {
            for user in users { #expect(try deployment.token(user.subject)["access_token"] != nil) }
            _ = try deployment.admin().ask(#"{"op":"flush"}"#)
        }
        #expect(try deployment.token("ann")["access_token"] != nil)
        let reply = try client.ask(#"{"op":"revoke","subject":"ann","everywhere":true}"#)
        #expect(reply["revoked"] as? Bool == true && reply["upstream"] == nil, "\(reply)")
        #expect(reply["upstream_revoked"] as? Int == 3, "\(reply)")
        #expect(await deployment.tenant.liveTokenCount(ofUser: users[0].id) == 0)
        #expect(await deployment.tenant.liveTokenCount(ofUser: users[1].id) == 3)
        let again = try client.ask(#"{"op":"revoke","subject":"ann","everywhere":true}"#)
        #expect(again["revoked"] as? Bool == false && again["upstream_revoked"] as? Int == 0)
        let unknown = try client.ask(#"{"op":"revoke","subject":"aunt","everywhere":true}"#)
        #expect(unknown["upstream_revoked"] as? Int == 0, "\(unknown)")
        try await deployment.stop()
    }

    @Test("A reload takes the operation away, from the next request on, and hello says so.")
    func reload() async throws {
        let deployment = try await start()
        defer { withExtendedLifetime(deployment.directory) {} }
        let client = try deployment.requests()
        #expect(try client.ask(line("ann"))["created"] as? Bool == true)
        func isOffered() throws -> Bool {
            (try client.ask(#"{"op":"hello"}"#)["ops"] as? [String])?.contains("provision") == true
        }
        for (operations, provision) in [(Self.everyOperation, ""), ("[token, revoke]", Self.provision)] {
            #expect(try isOffered())
            try configure(deployment, operations: operations, provision: provision)
            #expect(try !isOffered())
            #expect(try client.ask(line("ann"))["error"] as? String == "forbidden")
            try configure(deployment)
        }
        try configure(deployment, provision: "provision: { client: users }")
        let everywhere = try client.ask(#"{"op":"revoke","subject":"ann","everywhere":true}"#)
        #expect(everywhere["error"] as? String == "forbidden")
        #expect(try client.ask(line("ann", #""groups":["portal-x"]"#))["error"] as? String == "forbidden")
        try await deployment.stop()
    }

    @Test("A users API in trouble stops no tokens, and health says which part it is.")
    func trouble() async throws {
        let deployment = try await start()
        defer { withExtendedLifetime(deployment.directory) {} }
        let client = try deployment.requests()
        #expect(try client.ask(line("ann"))["created"] as? Bool == true)
        try await deployment.tenant.setBehaviour("status-500", for: .listUsers)
        for number in 0..<12 {
            let reply = try client.ask(line("a\(number)", #""timeout":5"#))
            #expect(reply["error"] as? String == "unavailable", "\(reply)")
        }
        #expect(try client.ask(#"{"op":"token","subject":"ann"}"#)["access_token"] != nil)
        let checks = try deployment.admin().ask(#"{"op":"health"}"#)["checks"] as? [[String: Any]] ?? []
        let states = checks.map { "\($0["check"] ?? "") \($0["status"] ?? "")" }
        #expect(states.contains("circuit ok") && states.contains("api_circuit degraded"), "\(states)")
        #expect(try status(deployment) == (health: "degraded", metrics: "degraded"))
        try await deployment.stop()
    }

    @Test("A client that the users API refuses makes the daemon failing, in health as in the metrics.")
    func refusedClient() async throws {
        let deployment = try await start()
        defer { withExtendedLifetime(deployment.directory) {} }
        #expect(try status(deployment) == (health: "ok", metrics: "ok"))
        try await deployment.tenant.setBehaviour("status-403", for: .listUsers)
        #expect(try deployment.requests().ask(line("ann"))["error"] as? String == "denied")
        #expect(try status(deployment) == (health: "failing", metrics: "failing"))
        try await deployment.stop()
    }

    /// The daemon's status by `health`, and by the metrics.
    private func status(_ deployment: Deployment) throws -> (health: String?, metrics: String?) {
        let admin = try deployment.admin()
        let health = try admin.ask(#"{"op":"health"}"#)["status"] as? String
        let text = try admin.ask(#"{"op":"metrics"}"#)["body"] as? String ?? ""
        let present = ["ok", "degraded", "failing"].filter {
            text.contains("\ntokencached_health_status{status=\"\($0)\"} 1\n")
        }
        return (health, present.count == 1 ? present[0] : nil)
    }
}
