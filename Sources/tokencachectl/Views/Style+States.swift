import OperatorReplies
import SafeText

/// The colours of states.
extension Style {
    /// Returns the name of the daemon's health.
    func text(of status: HealthReply.Status) -> String {
        let text = status.rawValue.printable
        return switch status {
        case .ok: green(text)
        case .degraded: yellow(text)
        default: red(text)
        }
    }

    /// Returns the name of a key's state.
    func text(of state: KeyState) -> String {
        let text = state.rawValue.printable
        return switch state {
        case .fresh: green(text)
        case .due, .refreshing, .minting, .absent: text
        case .expiring: yellow(text)
        default: red(text)
        }
    }

    /// Returns the name of a circuit's state.
    func text(of circuit: CircuitState) -> String {
        let text = "circuit \(circuit.rawValue.printable)"
        return switch circuit {
        case .closed: text
        case .halfOpen: yellow(text)
        default: red(text)
        }
    }

    /// Returns the name of a client's state.
    func text(of client: ClientState) -> String {
        let text = "client \(client.rawValue.printable)"
        return switch client {
        case .trusted: text
        case .doubtful, .suspected: yellow(text)
        default: red(text)
        }
    }
}
