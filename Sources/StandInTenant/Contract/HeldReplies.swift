/// The replies that wait until a test releases them.
struct HeldReplies: Sendable {
    private var holdsAll = false
    private var heldValues: Set<String> = []
    private(set) var calls: [Int] = []

    /// Holds all further replies, or those for one subject or user id.
    mutating func hold(forValue value: String?) {
        if let value { heldValues.insert(value) } else { holdsAll = true }
    }

    /// Adds a call if its reply has to wait, and returns true if so.
    mutating func add(_ call: Int, value: String?) -> Bool {
        guard holdsAll || value.map(heldValues.contains) ?? false else { return false }
        calls.append(call)
        return true
    }

    /// Removes all calls that wait and holds no further ones, or removes a number of the oldest and goes on.
    mutating func release(_ count: Int?) -> [Int] {
        let released = calls.prefix(max(0, count ?? calls.count))
        calls.removeFirst(released.count)
        if count == nil { self = HeldReplies() }
        return Array(released)
    }

    /// Removes a call that ended while it waited.
    mutating func remove(_ call: Int) { calls.removeAll { $0 == call } }
}
