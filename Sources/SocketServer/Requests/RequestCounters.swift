import OperatorReplies
import TokenCache
package import TokenProtocol

/// Counts requests by operation and outcome, and by uid, since the start.
package struct RequestCounters {
    /// A kind of answered requests.
    package struct Kind: Sendable, Hashable {
        /// The operation, or nil for a line that is not a request.
        package let operation: OperationName?
        package let outcome: RequestOutcome

        /// Creates a kind.
        package init(_ operation: OperationName?, _ outcome: RequestOutcome) {
            self.operation = operation
            self.outcome = outcome
        }
    }

    /// Requests are counted for this many uids.
    ///
    /// Those of further uids are not told apart.
    private static let maxCountedUIDs = 1_024

    /// Hits are counted apart, as a number is added to faster than to a table.
    private var hits = 0
    private var kinds: [Kind: Int] = [:]
    /// The number of requests that have no answer yet.
    private var waiting: [OperationName: Int] = [:]
    /// The number of errors that were sent without a request.
    private var unsolicited: [ErrorReply.Code: Int] = [:]
    private var users: [PeerUID: UserRequests] = [:]
    private let otherUsers = UserRequests()

    // MARK: Counting

    /// Counts requests for tokens that were answered from the cache at once.
    mutating func count(hits: Int, from client: Client) {
        self.hits += hits
        user(of: client).count += hits
    }

    /// Counts a request that has no answer yet.
    mutating func began(_ operation: OperationName, from client: Client) {
        user(of: client).count += 1
        waiting[operation, default: 0] += 1
    }

    /// Counts a line that was rejected, whose operation may not be known.
    mutating func rejected(_ operation: OperationName?, _ code: ErrorReply.Code, from client: Client) {
        user(of: client).count += 1
        kinds[Kind(operation, .error(code)), default: 0] += 1
    }

    /// Counts the outcome of a request that had none yet.
    mutating func ended(_ operation: OperationName, _ outcome: RequestOutcome) {
        waiting[operation, default: 0] -= 1
        kinds[Kind(operation, outcome), default: 0] += 1
    }

    /// Counts an error that was sent without a request.
    mutating func countUnsolicited(_ code: ErrorReply.Code) { unsolicited[code, default: 0] += 1 }

    private mutating func user(of client: Client) -> UserRequests {
        if let requests = client.requests { return requests }
        let uid = client.peer.uid
        var requests = users[uid] ?? otherUsers
        if requests === otherUsers, users.count < Self.maxCountedUIDs {
            requests = UserRequests()
            users[uid] = requests
        }
        client.requests = requests
        return requests
    }

    // MARK: Counts

    /// The answered requests by kind.
    package var answered: [Kind: Int] { kinds.merging([Kind(.token, .hit): hits], uniquingKeysWith: +) }

    /// The number of requests of uids that are not told apart.
    package var ofOtherUsers: Int { otherUsers.count }

    /// Adds the counts to the statistics.
    func fill(_ stats: inout StatsReply) {
        var errors = unsolicited
        for name in OperationName.allCases { stats.requests.byOperation[name.rawValue] = waiting[name] ?? 0 }
        for (kind, count) in answered {
            if let operation = kind.operation { stats.requests.byOperation[operation.rawValue, default: 0] += count }
            if case .error(let code) = kind.outcome { errors[code, default: 0] += count }
        }
        for (code, count) in errors { stats.requests.errors[code.rawValue] = count }
        for (uid, requests) in users { stats.uids[uid, default: .init()].requests = requests.count }
    }
}

@available(*, unavailable)
extension RequestCounters: Sendable {}
