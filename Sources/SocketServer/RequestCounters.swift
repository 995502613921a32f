import OperatorReplies
import TokenProtocol

/// Requests by operation, and errors by code, since the start.
struct RequestCounters {
    private var operations: [Int]
    private var errors: [ErrorReply.Code: Int] = [:]

    /// All zero.
    init() { operations = Array(repeating: 0, count: OperationName.allCases.count) }

    /// Notes requests.
    mutating func count(_ operation: OperationName, times: Int = 1) { operations[operation.index] += times }

    /// Notes an error that was answered.
    mutating func count(_ code: ErrorReply.Code) { errors[code, default: 0] += 1 }

    /// Writes them into what operators are shown.
    func fill(_ stats: inout StatsReply) {
        for name in OperationName.allCases { stats.requests.byOperation[name.rawValue] = operations[name.index] }
        for (code, count) in errors { stats.requests.errors[code.rawValue] = count }
    }
}

extension OperationName {
    /// Its place in a table of counters.
    fileprivate var index: Int {
        switch self {
        case .token: 0
        case .prefetch: 1
        case .invalidate: 2
        case .revoke: 3
        case .hello: 4
        case .stats: 5
        case .entries: 6
        case .evict: 7
        case .flush: 8
        case .reload: 9
        case .health: 10
        case .explain: 11
        }
    }
}
