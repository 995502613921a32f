/// The tenants' clients by number, with the number of calls that use each.
///
/// A client that has been replaced stays until its last call has ended. The methods return the clients that are no
/// longer in the table, for their owner to close.
package struct ClientTable<Client: Sendable>: Sendable {
    private struct Entry {
        let client: Client
        var callsUnderWay = 0
        /// True if the client is removed after its last call.
        var isReplaced = false
    }

    private var entries: [Int: Entry] = [:]
    private var lastNumber = 0
    private var burst = CallBurst()

    /// Creates an empty table.
    package init() {}

    /// The client of a number.
    package subscript(number: Int) -> Client? { entries[number]?.client }

    /// Adds a client, and returns its number.
    package mutating func add(_ client: Client) -> Int {
        lastNumber += 1
        entries[lastNumber] = Entry(client: client)
        return lastNumber
    }

    /// Begins a call by a client.
    package mutating func begin(_ number: Int) -> Client? {
        guard let client = entries[number]?.client else { return nil }
        entries[number]?.callsUnderWay += 1
        burst.begin()
        return client
    }

    /// Ends a call by a client.
    package mutating func end(_ number: Int) -> [Client] {
        burst.end()
        entries[number]?.callsUnderWay -= 1
        guard let entry = entries[number], entry.isReplaced, entry.callsUnderWay == 0 else { return [] }
        entries[number] = nil
        return [entry.client]
    }

    /// Returns true if there were many calls since it last returned true, and none since it was last called.
    package mutating func hasBurstEnded() -> Bool { burst.hasEnded() }

    /// Replaces all clients except those of some numbers.
    package mutating func replaceAll(except numbers: Set<Int>) -> [Client] {
        for number in entries.keys where !numbers.contains(number) { entries[number]?.isReplaced = true }
        return takeUnused()
    }

    /// Removes all clients, also those with calls under way.
    package mutating func removeAll() -> [Client] {
        defer { entries = [:] }
        return entries.values.map(\.client)
    }

    private mutating func takeUnused() -> [Client] {
        let unused = entries.filter { $0.value.isReplaced && $0.value.callsUnderWay == 0 }
        for number in unused.keys { entries[number] = nil }
        return unused.values.map(\.client)
    }
}
