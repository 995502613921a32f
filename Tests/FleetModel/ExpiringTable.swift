/// Values that expire, by name.
struct ExpiringTable<Value: Sendable & Equatable>: Sendable, Equatable {
    private struct Entry: Sendable, Equatable {
        var value: Value
        /// The last millisecond of the value's life.
        var deadline: Int64
    }

    private var entries: [String: Entry] = [:]

    /// The number of values, of which some may have expired.
    var count: Int { entries.count }

    /// Returns a value that lives.
    func value(_ name: String, at time: Int64) -> Value? { entry(name, at: time)?.value }

    /// Returns the time that a value has left, or nil if there is none.
    func left(_ name: String, at time: Int64) -> Int? { entry(name, at: time).map { Int($0.deadline - time) } }

    /// Sets a value that lives for a time.
    mutating func set(_ name: String, _ value: Value, for milliseconds: Int, at time: Int64) {
        entries[name] = Entry(value: value, deadline: time + Int64(milliseconds))
    }

    /// Lets a value live for a time from now.
    mutating func extend(_ name: String, by milliseconds: Int, at time: Int64) {
        if let value = value(name, at: time) { set(name, value, for: milliseconds, at: time) }
    }

    /// Removes a value, and returns it if it still lived.
    @discardableResult
    mutating func remove(_ name: String, at time: Int64) -> Value? {
        defer { entries[name] = nil }
        return value(name, at: time)
    }

    /// Removes what has expired.
    mutating func removeExpired(at time: Int64) { entries = entries.filter { $0.value.deadline >= time } }

    private func entry(_ name: String, at time: Int64) -> Entry? {
        entries[name].flatMap { $0.deadline >= time ? $0 : nil }
    }
}
