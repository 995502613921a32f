import DequeModule
import TokenCache

/// The calls that have not ended, with their deadlines.
///
/// Each is taken out once: by its answer, its failure or its deadline, whichever comes first.
struct PendingCalls<Call> {
    /// The number of a call.
    struct ID: Hashable {
        fileprivate let number: UInt64
    }

    private var calls: [UInt64: Call] = [:]
    /// The deadlines in their order.
    ///
    /// Nearly all are added at the end, as most calls have the same time.
    private var deadlines = Deque<(at: Instant, number: UInt64)>()
    private var last: UInt64 = 0

    /// The number of calls.
    var count: Int { calls.count }

    /// The earliest deadline, perhaps of a call that has ended.
    var nextDeadline: Instant? { deadlines.first?.at }

    /// Adds a call.
    mutating func add(_ call: Call, until deadline: Instant) -> ID {
        last += 1
        calls[last] = call
        var index = deadlines.endIndex
        while index > deadlines.startIndex, deadlines[index - 1].at > deadline { index -= 1 }
        deadlines.insert((deadline, last), at: index)
        return ID(number: last)
    }

    /// Takes a call out, or returns nil if it has ended.
    mutating func take(_ id: ID) -> Call? { calls.removeValue(forKey: id.number) }

    /// Takes all calls out.
    mutating func takeAll() -> [Call] {
        defer { (calls, deadlines) = ([:], []) }
        return Array(calls.values)
    }

    /// Takes the calls out whose deadlines have passed.
    mutating func takeExpired(at now: Instant) -> [Call] {
        var expired: [Call] = []
        while let first = deadlines.first, first.at <= now || calls[first.number] == nil {
            deadlines.removeFirst()
            if let call = calls.removeValue(forKey: first.number) { expired.append(call) }
        }
        return expired
    }
}
