import Foundation
import OperatorReplies
import StandInTenant
import TestSupport
import Testing

@Suite("Quotas, by the real daemon", .serialized, .enabled(if: OtherUser.isAvailable, OtherUser.reason))
struct DaemonQuotaTests {
    private static let token = #"{"op":"token","subject":"ann"}"#
    private static let open = #"sockets: { max_connections: 4, requests: { path: /x, mode: "0666" } }"#

    private func start() async throws -> Deployment {
        let deployment = try await Deployment.start(settings: Self.open)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: deployment.directory.path)
        return deployment
    }

    private func usage(_ admin: LineClient, _ uid: UInt32) throws -> StatsReply.Usage? { try admin.stats().uids[uid] }

    @Test(
        "A user can connect though another one has taken all connections: the longest unused idle one is closed."
    )
    func connections() async throws {
        let deployment = try await start()
        await deployment.tenant.holdReplies()
        let (admin, clients) = (try deployment.admin(), try (0..<3).map { _ in try deployment.requests() })
        try clients[0].send(Deployment.line("slow"))
        for client in [clients[2], clients[1], admin] { #expect(try client.ask(#"{"op":"hello"}"#)["error"] == nil) }
        #expect(try deployment.requests().reply()["error"] as? String == "overloaded", "one more of the same user's")
        let other = OtherUser(uid: 40_001, gid: 1)
        #expect(try other.ask(deployment.requestsPath, #"{"op":"hello"}"#)[0]["server"] as? String == "tokencached")
        let farewell = try clients[2].reply()
        #expect(farewell["error"] as? String == "overloaded" && farewell["retry_after"] as? Int == 1)
        #expect(try clients[2].line() == nil, "closed")
        #expect(try clients[1].ask(#"{"op":"hello"}"#)["error"] == nil)
        await deployment.tenant.releaseReplies()
        #expect(try clients[0].reply()["access_token"] != nil)
        #expect(try usage(admin, geteuid())?.overloaded == 2)
        #expect(try usage(admin, geteuid())?.connections == 3)
        try await deployment.stop()
    }

    @Test("If all of a user's connections wait, one of them gets an error and is closed.")
    func busyConnections() async throws {
        let deployment = try await start()
        await deployment.tenant.holdReplies()
        let clients = try (0..<4).map { _ in try deployment.requests() }
        for client in clients { try client.send(Deployment.line("slow", #""id":5"#)) }
        try await deployment.tenant.waitForHeldReplies(count: 1)
        for client in clients { #expect(try client.ask(#"{"op":"hello","id":1}"#)["id"] as? Int == 1) }
        let other = OtherUser(uid: 40_001, gid: 1)
        #expect(try other.ask(deployment.requestsPath, #"{"op":"hello"}"#)[0]["server"] != nil)
        let farewell = try clients[0].reply()
        #expect(farewell["error"] as? String == "overloaded" && farewell["id"] as? Int == 5)
        await deployment.tenant.releaseReplies()
        for client in clients[1...] { #expect(try client.reply()["access_token"] != nil) }
        try await deployment.stop()
    }

    @Test("Tokens are counted for the user who asks for them.")
    func entries() async throws {
        let deployment = try await start()
        _ = try deployment.token("ann")
        _ = try OtherUser(uid: 40_001, gid: 1).ask(deployment.requestsPath, #"{"op":"token","subject":"bob"}"#)
        let admin = try deployment.admin()
        #expect(try usage(admin, geteuid())?.entries == 1)
        #expect(try usage(admin, 40_001)?.entries == 1)
        try await deployment.stop()
    }
}
