import DequeModule
import TokenProtocol

/// What calls came to, while it is being handed to those who waited: a crowd gets it some at a time, and nobody else
/// waits behind a crowd.
struct Settlements {
    /// What those who waited for a call get.
    enum Result {
        case token(EncodedToken, TokenLife)
        case error(ErrorReply)
    }

    /// What a call came to, and who hasn't heard it yet.
    struct Settlement {
        let key: TokenKey
        var result: Result
        var waiters: Waiters.List
    }

    private var settlements: [CallID: Settlement] = [:]
    private var turns: Deque<CallID> = []

    var isEmpty: Bool { turns.isEmpty }

    /// The one whose turn it is.
    var first: CallID? { turns.first }

    subscript(call: CallID) -> Settlement? { settlements[call] }

    mutating func add(_ call: CallID, _ settlement: Settlement) {
        guard !settlement.waiters.isEmpty else { return }
        settlements[call] = settlement
        turns.append(call)
    }

    /// Those who haven't heard yet that there is a token of a user get an error instead.
    mutating func revoke(_ user: UserKey, scopes: ScopeSet?, _ error: ErrorReply) {
        for call in turns {
            guard let settlement = settlements[call], case .token = settlement.result, settlement.key.user == user,
                scopes ?? settlement.key.scopes == settlement.key.scopes
            else { continue }
            settlements[call]?.result = .error(error)
        }
    }

    /// Notes who hasn't heard it yet.
    mutating func update(_ call: CallID, _ waiters: Waiters.List) {
        settlements[call]?.waiters = waiters
        guard waiters.isEmpty else { return }
        settlements[call] = nil
        if turns.first == call { turns.removeFirst() } else { turns.removeAll { $0 == call } }
    }

    /// The next one has its turn.
    mutating func rotate() {
        if let call = turns.popFirst() { turns.append(call) }
    }
}
