import TokenCache
import TokenProtocol

extension TenantPolicy {
    static func test(host: String = "https://one.example", rate: Int = 80, burst: Int = 80, concurrent: Int = 8) -> Self
    {
        TenantPolicy(
            identity: Identity(host: host, clientID: "client"),
            ratePerMinute: rate,
            burst: burst,
            maxConcurrent: concurrent
        )
    }

    /// A policy of a tenant whose users may be provisioned by the client `users`, and put into groups of a portal.
    static func provisioning(
        groups: [String] = ["portal-*"],
        apiRate: Int = 800,
        apiBurst: Int = 200,
        concurrent: Int = 8
    ) -> Self {
        var policy = test(concurrent: concurrent)
        policy.clients = ["users": ClientPolicy(clientID: "client-2", scopes: nil)]
        policy.provisioning = ProvisioningPolicy(
            client: "users",
            groups: groups.map { Glob($0) },
            revokeClient: "users"
        )
        (policy.apiRatePerMinute, policy.apiBurst) = (apiRate, apiBurst)
        return policy
    }
}
