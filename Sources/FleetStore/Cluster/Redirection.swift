/// A reference of a cluster's node to another one, in the form of an error.
enum Redirection: Equatable {
    /// The slot belongs to another node.
    case moved(slot: Int, EngineAddress)
    /// The slot is being moved, and this key is at the other node already.
    case ask(EngineAddress)
    /// The keys of the call are at two nodes for the moment.
    case tryAgain

    /// Reads an error, such as `MOVED 3999 127.0.0.1:6381`.
    ///
    /// - Parameter node: The node that has answered. It stands for an empty host.
    init?(_ error: String, from node: EngineAddress) {
        let words = error.split(separator: " ")
        switch words.first {
        case "TRYAGAIN": self = .tryAgain
        case "MOVED" where words.count == 3:
            guard let slot = Int(words[1]), 0..<ClusterSlot.count ~= slot, let other = Self.address(words[2], node)
            else { return nil }
            self = .moved(slot: slot, other)
        case "ASK" where words.count == 3:
            guard let other = Self.address(words[2], node) else { return nil }
            self = .ask(other)
        default: return nil
        }
    }

    private static func address(_ text: Substring, _ node: EngineAddress) -> EngineAddress? {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            1...65_535 ~= port
        else { return nil }
        return ClusterRoutes.address(host: String(text[..<colon]), port: port, askedAt: node)
    }
}
