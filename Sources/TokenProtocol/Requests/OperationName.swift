/// The operations of this version, by their names on the wire.
package enum OperationName: String, Sendable, Hashable, CaseIterable {
    case token
    case prefetch
    case invalidate
    case revoke
    case provision
    case hello
    case stats
    case entries
    case evict
    case flush
    case reload
    case health
    case metrics
    case explain
    case releaseHold = "release_hold"
    case logLevel = "log_level"

    /// True if apps may use the operation on the request socket.
    ///
    /// The admin socket answers every operation.
    package var isForApps: Bool {
        switch self {
        case .token, .prefetch, .invalidate, .revoke, .provision, .hello: true
        case .stats, .entries, .evict, .flush, .reload, .health, .metrics, .explain, .releaseHold, .logLevel: false
        }
    }

    /// True if the operation can cause a call to a tenant, which a request's trace goes with.
    var callsTenant: Bool {
        switch self {
        case .token, .prefetch, .revoke, .provision: true
        default: false
        }
    }
}
