import OperatorReplies
import TokenProtocol

/// Counts requests by operation, and errors by code, since the start.
struct RequestCounters {
    /// Hits are counted apart, as a number is added to faster than to a table.
    private var hits = 0
    private var operations: [OperationName: Int] = [:]
    private var errors: [ErrorReply.Code: Int] = [:]

    /// Counts requests for tokens that were answered from the cache at once.
    mutating func count(hits: Int) { self.hits += hits }

    /// Counts a request.
    mutating func count(_ operation: OperationName) { operations[operation, default: 0] += 1 }

    /// Counts an error that was answered.
    mutating func count(_ code: ErrorReply.Code) { errors[code, default: 0] += 1 }

    /// Adds the counts to the statistics.
    func fill(_ stats: inout StatsReply) {
        for name in OperationName.allCases { stats.requests.byOperation[name.rawValue] = operations[name] ?? 0 }
        stats.requests.byOperation[OperationName.token.rawValue, default: 0] += hits
        for (code, count) in errors { stats.requests.errors[code.rawValue] = count }
    }
}
