/// The replies that wait until a test releases them.
struct HeldReplies: Sendable {
    private var holdsAll = false
    private var heldValues: Set<String> = []
    private var heldOperations: Set<StandInTenant.Operation> = []
    private(set) var calls: [Int] = []

    /// Holds all further replies, or those for one subject or user id.
    mutating func hold(forValue value: String?) {
        if let value { heldValues.insert(value) } else { holdsAll = true }
    }

    /// Holds all further replies of an operation of the API.
    mutating func hold(_ operation: StandInTenant.Operation) { heldOperations.insert(operation) }

    /// Adds a call if its reply has to wait, and returns true if so.
    mutating func add(_ call: Int, value: String?, operation: StandInTenant.Operation?) -> Bool {
        let isNamed = value.map(heldValues.contains) ?? false
        let isHeld = operation.map(heldOperations.contains) ?? false
        guard holdsAll || isNamed || isHeld else { return false }
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
