import TokenCache

/// The machines of the fleet that were seen in the last minute, and the keys that they have.
struct FleetPresence: Sendable, Equatable {
    /// The use of a key by the machines.
    struct KeyUse: Sendable, Equatable {
        /// The machines that have it.
        var machines = 0
        /// The machines that seal with it.
        var sealing = 0
    }

    /// A machine's note in the engine: its name, a space, and the names of its keys in their order, separated by commas.
    static func note(_ machine: String, keys: [String]) -> String { "\(machine) \(keys.joined(separator: ","))" }

    /// The number of machines, or 0 before the first count.
    private(set) var machines = 0
    /// The use of the keys by their names, or nothing while it isn't known.
    private(set) var keys: [String: KeyUse] = [:]
    /// The time since which every machine has sealed with this machine's first key, or nil while one doesn't.
    private(set) var settledSince: Instant?

    /// Takes the notes of the machines.
    ///
    /// - Parameters:
    ///   - notes: The notes, the latest of a machine last.
    ///   - first: The name of this machine's first key.
    mutating func read(_ notes: [String], first: String, at now: Instant) {
        var machines: [Substring: [Substring]] = [:]
        for note in notes {
            let parts = note.split(separator: " ", maxSplits: 1)
            guard let name = parts.first else { continue }
            machines[name] = parts.count == 2 ? parts[1].split(separator: ",") : []
        }
        keys = [:]
        for held in machines.values {
            for key in Set(held) { keys[String(key), default: KeyUse()].machines += 1 }
            if let sealing = held.first { keys[String(sealing)]?.sealing += 1 }
        }
        self.machines = machines.count
        let isSettled = !machines.isEmpty && machines.values.allSatisfy { $0.first.map(String.init) == first }
        settledSince = isSettled ? settledSince ?? now : nil
    }

    /// Takes note that the engine doesn't tell.
    ///
    /// The number of machines stays, as the limits are divided by it.
    mutating func lost() { (keys, settledSince) = ([:], nil) }
}
