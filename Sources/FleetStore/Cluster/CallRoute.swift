/// The way of a call from node to node, and what its errors mean.
struct CallRoute: Sendable, Equatable {
    /// The references from one node to another that a call follows.
    static let mostHops = 3

    /// The consequence of an error.
    enum Step: Sendable, Equatable {
        /// Send the whole script, which the engine doesn't have.
        case sendScript
        /// Send the call to another node, which has the slot from now on.
        case move(slot: Int, EngineAddress)
        /// Send this call to another node, behind `ASKING`.
        case ask(EngineAddress)
        /// Send the call again.
        case again
        /// The call has failed.
        case fail(EngineFault)
    }

    private var hops = 0
    private var hasTriedAgain = false
    private var hasSentScript = false

    /// Takes the error that a node has answered.
    mutating func failed(_ error: String, from node: EngineAddress, isCluster: Bool) -> Step {
        if error.hasPrefix("NOSCRIPT"), !hasSentScript {
            hasSentScript = true
            return .sendScript
        }
        guard isCluster, let redirection = Redirection(error, from: node) else {
            return .fail(EngineFault(error: error))
        }
        if redirection == .tryAgain {
            defer { hasTriedAgain = true }
            return hasTriedAgain ? .fail(.moving) : .again
        }
        guard hops < Self.mostHops else { return .fail(.clusterDown) }
        hops += 1
        // The other node may not have the script either.
        hasSentScript = false
        return switch redirection {
        case .moved(let slot, let node): .move(slot: slot, node)
        case .ask(let node): .ask(node)
        case .tryAgain: .again
        }
    }
}
