/// The gate at which replies wait until a test lets them through.
package struct ReplyGate: Sendable {
    private var holdsAll = false
    private var heldValues: Set<String> = []
    private var waiting: [CallNumber] = []

    /// An open gate.
    package init() {}

    /// How many replies wait.
    package var count: Int {
        waiting.count
    }

    /// Shuts the gate for all, or for one subject or user id.
    package mutating func shut(forValue value: String? = nil) {
        if let value {
            heldValues.insert(value)
        } else {
            holdsAll = true
        }
    }

    /// A call's reply comes to the gate; whether it has to wait.
    package mutating func holds(_ call: CallNumber, value: String?) -> Bool {
        guard holdsAll || value.map(heldValues.contains) ?? false else { return false }
        waiting.append(call)
        return true
    }

    /// Opens the gate; the replies that waited, the oldest first.
    package mutating func open() -> [CallNumber] {
        defer { self = ReplyGate() }
        return waiting
    }

    /// Lets the oldest replies through, and stays shut.
    package mutating func release(_ count: Int) -> [CallNumber] {
        defer { waiting.removeFirst(min(max(0, count), waiting.count)) }
        return Array(waiting.prefix(max(0, count)))
    }

    /// A call has ended while it waited.
    package mutating func forget(_ call: CallNumber) {
        waiting.removeAll { $0 == call }
    }
}
