/// An incident of a tenant, at a time when operators are told of it.
package struct TenantIncident: Sendable, Equatable {
    /// The kind of fault.
    package enum Kind: Sendable, Hashable {
        /// Calls to the tenant fail.
        case outage
        /// The tenant wants no calls for a while.
        case hold
        /// Calls of the tenant's API fail.
        case apiOutage
        /// The tenant's API wants no calls for a while.
        case apiHold
        /// The tenant denies users, or this daemon's client.
        case client(ClientTrouble)
        /// The tenant denies the further client of this name.
        case furtherClient(String)
    }

    /// The degree of a client's trouble.
    package enum ClientTrouble: Sendable, Hashable {
        /// Several users in a row were denied with any status.
        case doubtful
        /// Several users in a row were denied with 401.
        case suspected(isProbed: Bool)
        /// The client itself is denied.
        case denied
    }

    /// The last cause of the fault.
    package struct Cause: Sendable, Equatable {
        /// A sentence of the daemon's own.
        package var reason: String?
        /// The tenant's status, if it has answered.
        package var status: Int?
        /// The tenant's code, or the daemon's for a call without an answer.
        package var code: String?

        /// Creates a cause.
        package init(reason: String? = nil, status: Int? = nil, code: String? = nil) {
            self.reason = reason
            self.status = status
            self.code = code
        }
    }

    /// The tenant's name.
    package var tenant: String
    /// The kind of fault.
    package var kind: Kind
    /// The part of its life.
    ///
    /// The failures are callers of the tenant who got an error because of it.
    package var report: Incident.Report
    /// Its last cause, or nil at its end.
    package var cause: Cause?

    /// Creates a notice of an incident.
    package init(_ tenant: String, _ kind: Kind, _ report: Incident.Report, cause: Cause?) {
        self.tenant = tenant
        self.kind = kind
        self.report = report
        self.cause = cause
    }
}
