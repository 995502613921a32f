/// Whether the daemon does its work, and what keeps it from it.
package struct HealthReply: Sendable, Equatable {
    /// How well it is; the worst of its checks.
    package enum Status: String, Sendable, Comparable {
        case ok
        /// It serves what it has, and something needs watching.
        case degraded
        /// Somebody has to act.
        case failing

        package static func < (left: Status, right: Status) -> Bool { left.rank < right.rank }

        private var rank: Int {
            switch self {
            case .ok: 0
            case .degraded: 1
            case .failing: 2
            }
        }
    }

    /// One thing that was looked at.
    package struct Check: Sendable, Equatable {
        /// Its subject: `circuit`, `hold` or `client` of a tenant; `access` or `socket` of the daemon.
        package var name: String
        /// nil: it isn't about a tenant.
        package var tenant: String?
        package var status: Status
        /// What is wrong, in a sentence; nil: nothing.
        package var description: String?
        /// Since when, by the wall clock; nil where nothing is wrong.
        package var since: String?

        package init(name: String, tenant: String?, status: Status, description: String? = nil, since: String? = nil) {
            self.name = name
            self.tenant = tenant
            self.status = status
            self.description = description
            self.since = since
        }
    }

    /// Everything that was looked at: each tenant, then the daemon itself.
    package var checks: [Check]

    /// The worst of the checks.
    package var status: Status { checks.map(\.status).max() ?? .ok }

    /// Makes it.
    package init(checks: [Check]) { self.checks = checks }
}
