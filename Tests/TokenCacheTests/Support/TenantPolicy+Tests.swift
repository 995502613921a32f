import TokenCache

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
}
