import TokenCache

/// The note of a machine that is there: its name, and short names of its keys in the order of their lines.
struct MachineNote: Sendable, Equatable {
    let machine: String
    let keys: [String]

    /// Creates a note.
    init(_ machine: String, keys: [String]) { (self.machine, self.keys) = (machine, keys) }

    /// Reads a note, which may have no keys.
    init(_ text: String) {
        let parts = text.split(separator: " ", maxSplits: 1)
        let keys = parts.dropFirst().first?.split(separator: ",").map(String.init)
        self.init(parts.first.map(String.init) ?? "", keys: keys ?? [])
    }

    /// The note as the engine has it.
    var text: String { "\(machine) \(keys.joined(separator: ","))" }
}

/// The machines that were seen in the last minute, with their keys.
struct SeenMachines: Sendable, Equatable {
    /// The keys of each machine, the first of which seals.
    private(set) var keys: [String: [String]] = [:]
    /// The time since which all of them have sealed with this machine's first key, or nil if they don't.
    private(set) var settledSince: Instant?
    private var key: String?
    private var lookedAt: Instant?

    /// The number of machines, or 0 if that isn't known yet.
    var count: Int { keys.count }

    /// Takes the notes in the order of their times.
    ///
    /// - Parameter key: The short name of the key with which this machine seals.
    /// - Returns: False if there are none, so that nothing is known.
    mutating func note(_ notes: [MachineNote], sealing key: String?, at now: Instant) -> Bool {
        guard !notes.isEmpty else { return false }
        // A machine has an older note, too, for a minute after a change of its keys.
        keys = Dictionary(notes.map { ($0.machine, $0.keys) }) { $1 }
        // In a longer time a machine may have come and gone unseen.
        let isSeamless = lookedAt.map { now - $0 < FleetCoordinator.presenceLife } ?? false
        if self.key != key || !isSeamless { settledSince = nil }
        let isSettled = keys.values.allSatisfy { $0.first == key }
        settledSince = isSettled ? settledSince ?? now : nil
        (self.key, lookedAt) = (key, now)
        return true
    }
}
