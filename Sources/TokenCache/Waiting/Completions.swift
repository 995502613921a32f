import DequeModule
import TokenProtocol

/// The results of completed calls that have not reached all their waiters.
///
/// They are delivered in slices, with the calls in turn, so that nobody waits behind the many waiters of another call.
struct Completions {
    /// The result for the waiters of a call.
    enum Result {
        case token(GrantedToken, TokenLife, TokenReply.Source)
        case error(ErrorReply)
    }

    /// The result of a call, and the waiters that have not got it.
    struct Completion {
        let key: TokenKey
        var result: Result
        var waiters: Waiters.List
    }

    private var completions: [CallID: Completion] = [:]
    private var turns: Deque<CallID> = []

    var isEmpty: Bool { turns.isEmpty }

    /// The call whose waiters are next.
    var first: CallID? { turns.first }

    subscript(call: CallID) -> Completion? { completions[call] }

    mutating func add(_ call: CallID, _ completion: Completion) {
        guard !completion.waiters.isEmpty else { return }
        completions[call] = completion
        turns.append(call)
    }

    /// Replaces the results with a user's token by an error.
    mutating func revoke(_ user: UserKey, scopes: ScopeSet?, _ error: ErrorReply) {
        for call in turns {
            guard let completion = completions[call], case .token = completion.result, completion.key.user == user,
                scopes ?? completion.key.scopes == completion.key.scopes
            else { continue }
            completions[call]?.result = .error(error)
        }
    }

    /// Updates the waiters that have not got the result.
    mutating func update(_ call: CallID, _ waiters: Waiters.List) {
        completions[call]?.waiters = waiters
        guard waiters.isEmpty else { return }
        completions[call] = nil
        if turns.first == call { turns.removeFirst() } else { turns.removeAll { $0 == call } }
    }

    /// Moves the first call to the end.
    mutating func rotate() {
        if let call = turns.popFirst() { turns.append(call) }
    }
}
