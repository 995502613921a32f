/// The reply to `health`: how well the daemon works, and what is wrong.
package struct HealthReply: Sendable, Equatable, Codable {
    /// The worst status of the checks.
    package var status: Status
    /// Everything that was checked: each tenant, then the daemon itself.
    package var checks: [Check]

    /// Creates a reply whose status is the worst of its checks.
    package init(checks: [Check]) {
        self.checks = checks
        status = checks.map(\.status).max() ?? .ok
    }
}

extension HealthReply {
    /// The state of one checked thing, or of the daemon as a whole.
    package struct Status: OpenName, Comparable {
        package let rawValue: String

        package init(rawValue: String) { self.rawValue = rawValue }

        /// Nothing is wrong.
        package static var ok: Status { "ok" }
        /// The daemon serves the tokens that it has, and something needs to be watched.
        package static var degraded: Status { "degraded" }
        /// An operator has to act.
        package static var failing: Status { "failing" }

        package static func < (left: Status, right: Status) -> Bool { left.severity < right.severity }

        /// The rank among the statuses.
        ///
        /// A status of a later daemon has the highest rank, as it may mean anything.
        private var severity: Int { [.ok, .degraded, .failing].firstIndex(of: self) ?? 3 }
    }

    /// One thing that was checked.
    package struct Check: Sendable, Equatable, Codable {
        /// The subject: `circuit`, `hold`, `client` or `clients` of a tenant, `access`, `socket` or `fleet` of the daemon.
        package var name: String
        /// The tenant's name, or nil for a check of the daemon itself.
        package var tenant: String?
        package var status: Status
        /// A sentence that says what is wrong, or nil if nothing is.
        package var description: String?
        /// The time at which it began by the wall clock, in RFC 3339's form, or nil if nothing is wrong.
        package var since: String?

        package init(name: String, tenant: String?, status: Status, description: String? = nil, since: String? = nil) {
            self.name = name
            self.tenant = tenant
            self.status = status
            self.description = description
            self.since = since
        }

        private enum CodingKeys: String, CodingKey {
            case name = "check"
            case tenant
            case status
            case description
            case since
        }
    }
}
