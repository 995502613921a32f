import FleetProtocol

/// The nodes of a cluster, and which of them has a slot, as far as is known.
///
/// The map may be outdated: the nodes correct it when they are asked.
struct ClusterRoutes: Sendable, Equatable {
    /// A range of slots with its primary and the replicas.
    struct Range: Sendable, Equatable {
        var slots: ClosedRange<Int>
        var primary: EngineAddress
        var replicas: [EngineAddress]
    }

    /// The node that the configuration names.
    let seed: EngineAddress
    private var ranges: [Range] = []
    private var moved: [Int: EngineAddress] = [:]
    private var lastAsked = 0

    /// Creates routes that know one node.
    init(seed: EngineAddress) { self.seed = seed }

    /// The primary of a slot, or nil if it isn't known.
    func node(of slot: Int) -> EngineAddress? {
        moved[slot] ?? ranges.first { $0.slots.contains(slot) }?.primary
    }

    /// Takes a map that a node has answered.
    mutating func replace(_ ranges: [Range]) {
        self.ranges = ranges
        moved = [:]
    }

    /// Takes note that a node has referred to another one.
    mutating func move(_ slot: Int, to node: EngineAddress) { moved[slot] = node }

    /// Forgets a node that doesn't answer as the primary of anything, until the next map.
    mutating func forget(_ node: EngineAddress) {
        ranges.removeAll { $0.primary == node }
        moved = moved.filter { $0.value != node }
        for index in ranges.indices { ranges[index].replicas.removeAll { $0 == node } }
    }

    /// Returns a node to ask for the map, each in turn.
    mutating func nextToAsk() -> EngineAddress {
        var known = [seed]
        for range in ranges {
            for node in [range.primary] + range.replicas where !known.contains(node) { known.append(node) }
        }
        lastAsked += 1
        return known[lastAsked % known.count]
    }

    /// Reads the answer to `CLUSTER SLOTS`.
    ///
    /// - Parameter node: The node that has answered. It stands for an empty host.
    /// - Returns: The ranges, or nil if the answer is malformed.
    static func ranges(of value: RespValue, askedAt node: EngineAddress) -> [Range]? {
        guard let entries = value.elements else { return nil }
        var ranges: [Range] = []
        for entry in entries {
            guard let parts = entry.elements, parts.count >= 3,
                let first = parts[0].number, let last = parts[1].number,
                0 <= first, first <= last, last < ClusterSlot.count
            else { return nil }
            let nodes = parts[2...].map { address($0, askedAt: node) }
            guard let primary = nodes[0] else { return nil }
            let slots = Int(first)...Int(last)
            ranges.append(Range(slots: slots, primary: primary, replicas: nodes.dropFirst().compactMap(\.self)))
        }
        return ranges
    }

    private static func address(_ value: RespValue, askedAt node: EngineAddress) -> EngineAddress? {
        guard let parts = value.elements, parts.count >= 2, let port = parts[1].number, 1...65_535 ~= port else {
            return nil
        }
        return address(host: parts[0].text ?? "", port: Int(port), askedAt: node)
    }

    /// The address of a host that another node has named.
    static func address(host: String, port: Int, askedAt node: EngineAddress) -> EngineAddress? {
        // `?` is what a node says of a host that it doesn't know.
        if !host.isEmpty, host != "?" { return .host(host, port: port) }
        guard case .host(let own, _) = node else { return nil }
        return .host(own, port: port)
    }
}
