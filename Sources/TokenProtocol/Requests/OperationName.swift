/// The operations of this version, by their names on the wire.
package enum OperationName: String, Sendable, Hashable, CaseIterable {
    case token
    case prefetch
    case invalidate
    case revoke
    case hello
    case stats
    case entries
    case evict
    case flush
    case reload
    case health
    case explain
    case logLevel = "log_level"

    /// True if apps may use the operation on the request socket.
    ///
    /// The admin socket answers every operation.
    package var isForApps: Bool {
        switch self {
        case .token, .prefetch, .invalidate, .revoke, .hello: true
        case .stats, .entries, .evict, .flush, .reload, .health, .explain, .logLevel: false
        }
    }

    /// True if the operation can cause a call to a tenant, which a request's trace goes with.
    var callsTenant: Bool { self == .token || self == .prefetch || self == .revoke }
}
