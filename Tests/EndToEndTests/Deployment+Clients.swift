import Foundation
import StandInTenant
import TestSupport
import Testing

extension Deployment {
    /// Starts a daemon whose tenant has the further client `backend`, of which this user may have tokens.
    ///
    /// - Parameter operations: The operations that this user may use, or nil for the usual ones.
    static func startWithClient(operations: String? = nil) async throws -> Deployment {
        var standIn = StandInTenant.Configuration()
        standIn.clients = [
            .init(id: "backend-id", secrets: ["backend-secret"], scopes: ["user_default", "admin.users"])
        ]
        let deployment = try await start(standIn)
        let directory = deployment.directory
        let secret = try directory.write("backend-secret", to: "backend-secret", mode: 0o600)
        let rule =
            "  - { users: [\(geteuid())], subjects: [\"*\"], clients: [backend]\(operations.map { ", operations: \($0)" } ?? "") }"
        let configuration = configuration(
            deployment.tenant,
            directory,
            settings: "access:\n\(rule)",
            options: "clients: { backend: { client_id: backend-id, client_secret: { file: \(secret) } } }"
        )
        try directory.write(configuration, to: "c.yaml")
        let reload = try deployment.control("reload")
        try #require(reload.status == 0, "\(reload.output)")
        return deployment
    }
}
