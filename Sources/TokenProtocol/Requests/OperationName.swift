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
    case metrics
    case explain

    /// True if apps may use the operation on the request socket.
    ///
    /// The admin socket answers every operation.
    package var isForApps: Bool {
        switch self {
        case .token, .prefetch, .invalidate, .revoke, .hello: true
        case .stats, .entries, .evict, .flush, .reload, .health, .metrics, .explain: false
        }
    }
}
