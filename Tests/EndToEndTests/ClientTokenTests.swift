import Crypto
import Foundation
import OperatorReplies
import StandInTenant
import TestSupport
import Testing

@Suite("Clients' own tokens and refused tokens, by the real daemon", .serialized)
struct DaemonClientTokenTests {
    private static let token = #"{"op":"token","client":"backend"}"#

    /// The configuration of two further clients, whose secrets are their names.
    private static func options(_ directory: TemporaryDirectory, id: String = "backend") -> String {
        """
        clients:
          backend: { client_id: \(id), client_secret: { file: \(directory.path(id)) } }
          jobs: { client_id: jobs, client_secret: { file: \(directory.path("jobs")) }, scope: "apps:read" }
        """
    }

    private static func access(_ clients: String) -> String {
        #"access: [{ users: ["\#(geteuid())"], subjects: ["*"], clients: \#(clients) }]"#
    }

    /// Starts a daemon with two further clients, which the access rule allows.
    private func start(clients: String = "[backend, jobs]") async throws -> Deployment {
        let deployment = try await Deployment.start()
        for name in ["backend", "jobs", "other"] { try deployment.directory.write(name, to: name) }
        let scopes = ["user_default", "apps:read"]
        try await deployment.tenant.setClients(
            ["backend", "jobs", "other"].map { .init(id: $0, secrets: [$0], scopes: scopes) }
        )
        try await configure(deployment, Self.access(clients), Self.options(deployment.directory))
        return deployment
    }

    private func configure(_ deployment: Deployment, _ settings: String, _ options: String) async throws {
        try deployment.directory.write(
            Deployment.configuration(deployment.tenant, deployment.directory, settings: settings, options: options),
            to: "c.yaml"
        )
        #expect(try deployment.admin().ask(#"{"op":"reload"}"#)["reloaded"] as? Bool == true)
    }

    private func sha256(_ reply: [String: Any]) throws -> String {
        let token = try #require(reply["access_token"] as? String)
        return SHA256.hash(data: Data(token.utf8)).map { String(format: "%02x", $0) }.joined()
    }

    @Test("A client's own token is minted, cached, shown, reported, revoked and counted like a user's.")
    func life() async throws {
        let deployment = try await start()
        let (client, admin) = (try deployment.requests(), try deployment.admin())
        #expect(try client.ask(#"{"op":"hello"}"#)["clients"] as? [String] == ["backend", "jobs"])
        let minted = try client.ask(Self.token)
        #expect(minted["source"] as? String == "tenant")
        #expect(minted["scope"] as? String == "user_default apps:read")
        #expect(try client.ask(Self.token)["source"] as? String == "cache")
        #expect(try client.ask(#"{"op":"token","client":"jobs"}"#)["scope"] as? String == "apps:read")
        let entries = try admin.ask(#"{"op":"entries"}"#)["entries"] as? [[String: Any]]
        #expect(entries?.compactMap { $0["client"] as? String }.sorted() == ["backend", "jobs"])
        let explained = try admin.ask(#"{"op":"explain","client":"backend"}"#)["key"] as? [String: Any]
        #expect(explained?["client"] as? String == "backend" && explained?["scope"] as? String == "")
        let refused = try sha256(minted)
        let report = #"{"op":"invalidate","client":"backend","token_sha256":"\#(refused)"}"#
        #expect(try client.ask(report)["invalidated"] as? Bool == true)
        #expect(try client.ask(#"{"op":"prefetch","clients":["backend","jobs"]}"#)["cached"] as? Int == 1)
        try await deployment.tenant.wait { $0.mints == 3 }
        #expect(try client.ask(#"{"op":"revoke","client":"jobs"}"#)["revoked"] as? Bool == true)
        #expect(await deployment.tenant.counters.revocations == 1)
        #expect(try admin.ask(#"{"op":"evict","client":"backend"}"#)["evicted"] as? Bool == true)
        try await deployment.stop()
    }

    @Test("A client is forbidden to peers whose rule doesn't list it, and to everyone without rules.")
    func access() async throws {
        let deployment = try await start(clients: "[jobs]")
        let client = try deployment.requests()
        #expect(try client.ask(Self.token)["error"] as? String == "forbidden")
        #expect(try client.ask(#"{"op":"token","client":"nobody"}"#)["error"] as? String == "forbidden")
        #expect(try client.ask(#"{"op":"token","client":"jobs","scope":"admin"}"#)["error"] as? String == "forbidden")
        #expect(
            try client.ask(#"{"op":"token","client":"jobs","subject":"ann"}"#)["error"] as? String == "invalid_request"
        )
        try await configure(deployment, "", Self.options(deployment.directory))
        #expect(try client.ask(#"{"op":"token","client":"jobs"}"#)["error"] as? String == "forbidden")
        #expect(try client.ask(#"{"op":"hello"}"#)["clients"] == nil)
        #expect(await deployment.tenant.counters.mints == 0)
        try await deployment.stop()
    }

    @Test(
        "A client with another id since a reload loses its tokens. A refused one is named by health, and users get theirs."
    )
    func reloadAndRefusal() async throws {
        let deployment = try await start()
        let client = try deployment.requests()
        #expect(try client.ask(Self.token)["source"] as? String == "tenant")
        #expect(try client.ask(#"{"op":"token","client":"jobs"}"#)["source"] as? String == "tenant")
        let settings = Self.access("[backend, jobs]")
        try await configure(deployment, settings, Self.options(deployment.directory, id: "other"))
        #expect(try client.ask(Self.token)["source"] as? String == "tenant")
        #expect(try client.ask(#"{"op":"token","client":"jobs"}"#)["source"] as? String == "cache")
        #expect(await deployment.tenant.mintCount(field: .client, value: "other") == 1)
        try await deployment.tenant.setClients([])
        #expect(try client.ask(#"{"op":"token","client":"backend","no_cache":true}"#)["error"] as? String == "denied")
        let health = try deployment.admin().health()
        let check = try #require(health.checks.first { $0.name == "clients" })
        #expect(check.status == .failing && check.description?.contains("backend (status 401)") == true)
        #expect(health.checks.first { $0.name == "client" }?.status == .ok)
        #expect(try deployment.token("ann")["source"] as? String == "tenant")
        try await deployment.stop()
        #expect(deployment.written.contains("the tenant refuses a further client"))
    }

    @Test("A refused token is replaced in one request, and a late report gets the new one.")
    func refusedToken() async throws {
        let deployment = try await start()
        let client = try deployment.requests()
        let first = try client.ask(#"{"op":"token","subject":"ann"}"#)
        let report = #"{"op":"token","subject":"ann","refused_token_sha256":"\#(try sha256(first))"}"#
        let second = try client.ask(report)
        #expect(second["source"] as? String == "tenant")
        #expect(second["access_token"] as? String != first["access_token"] as? String)
        let late = try client.ask(report)
        #expect(late["source"] as? String == "cache")
        #expect(late["access_token"] as? String == second["access_token"] as? String)
        let again = try client.ask(#"{"op":"token","subject":"ann","refused_token_sha256":"\#(try sha256(second))"}"#)
        #expect(again["access_token"] as? String == second["access_token"] as? String, "it is too young to be dropped")
        #expect(await deployment.tenant.counters.mints == 2)
        try await deployment.stop()
    }
}
