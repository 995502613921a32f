/// The limits of one tenant, and its identity.
package struct TenantPolicy: Sendable, Equatable {
    /// The host and the client ID, by which a reload recognises a tenant.
    package struct Identity: Sendable, Hashable {
        /// The origin that is called.
        package var host: String
        /// The OAuth client.
        package var clientID: String

        /// Creates the identity of a client at an origin.
        package init(host: String, clientID: String) {
            self.host = host
            self.clientID = clientID
        }
    }

    /// The tenant and the client.
    package var identity: Identity
    /// The maximum number of calls per minute.
    package var ratePerMinute: Int
    /// The number of calls that may be sent at once after a quiet time.
    package var burst: Int
    /// The maximum number of calls under way at the same time.
    package var maxConcurrent: Int
    /// The time for one call.
    ///
    /// The tenant's client ends a call after it. Here it is the least that a lease of a mint must last.
    package var timeout = Duration.seconds(10)
    /// The tenant's further clients by name, whose own tokens are cached, too.
    package var clients: [String: ClientPolicy] = [:]
    /// The rules of the provisioning of users, or nil if nobody is ever created or changed.
    package var provisioning: ProvisioningPolicy?
    /// The maximum number of calls of the tenant's API per minute.
    package var apiRatePerMinute = 800
    /// The number of calls of the tenant's API that may be sent at once after a quiet time.
    package var apiBurst = 200

    /// The same policy with the limits of the API in place of those of tokens.
    var ofAPI: TenantPolicy {
        var policy = self
        (policy.ratePerMinute, policy.burst) = (apiRatePerMinute, apiBurst)
        return policy
    }

    /// Creates a policy, with the configuration's defaults for the limits.
    package init(identity: Identity, ratePerMinute: Int = 80, burst: Int = 80, maxConcurrent: Int = 8) {
        self.identity = identity
        self.ratePerMinute = ratePerMinute
        self.burst = burst
        self.maxConcurrent = maxConcurrent
    }
}
