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
    /// The ranges in the order of their slots.
    private var ranges: [Range] = []
    private var moved: [Int: EngineAddress] = [:]
    private var lastAsked = 0
    /// The nodes at most that are asked for the map.
    private static let mostAsked = 256

    /// Creates routes that know one node.
    init(seed: EngineAddress) { self.seed = seed }

    /// The primary of a slot, or nil if it isn't known.
    func node(of slot: Int) -> EngineAddress? {
        if let node = moved[slot] { return node }
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].slots.upperBound < slot { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].slots.contains(slot) ? ranges[low].primary : nil
    }

    /// Takes a map that a node has answered.
    mutating func replace(_ ranges: [Range]) {
        self.ranges = ranges.sorted { $0.slots.upperBound < $1.slots.upperBound }
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
        var (known, isKnown) = ([seed], Set([seed]))
        for range in ranges where known.count < Self.mostAsked {
            for node in [range.primary] + range.replicas where isKnown.insert(node).inserted { known.append(node) }
        }
        lastAsked += 1
        return known[lastAsked % known.count]
    }

    /// Reads the answer to `CLUSTER SLOTS`.
    ///
    /// - Parameter node: The node that has answered. It stands for an empty host.
    /// - Returns: The ranges, or nil if the answer is malformed or has more slots than there are.
    static func ranges(of value: RespValue, askedAt node: EngineAddress) -> [Range]? {
        guard let entries = value.elements else { return nil }
        var ranges: [Range] = []
        var slotsLeft = ClusterSlot.count
        for entry in entries {
            guard let parts = entry.elements, parts.count >= 3,
                let first = parts[0].number, let last = parts[1].number,
                0 <= first, first <= last, last < ClusterSlot.count
            else { return nil }
            let nodes = parts[2...].map { address($0, askedAt: node) }
            guard let primary = nodes[0] else { return nil }
            let slots = Int(first)...Int(last)
            slotsLeft -= slots.count
            guard slotsLeft >= 0 else { return nil }
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
