import FoundationEssentials
import Secrets
import TokenCache
import TokenProtocol
import TokenStorage

/// Looks up cached tokens and writes the replies, without I/O, for counts of instructions and for benchmarks.
public struct CacheDriver: ~Copyable {
    /// The hits of a round: a client's requests that are read at once.
    private static let hitsPerRound = 16
    /// The size of the token in bytes, which is that of a usual tenant.
    private static let tokenSize = 1_199
    /// A step from one user to the next that goes through all of them in no order, as it shares no factor with their number.
    private static let stride = 7_919

    private static let tenant = TenantID(number: 1, name: "main")
    private static let scopes = [ScopeSet("user_default")].compactMap(\.self)[0]
    private static let peer = Peer(uid: 1, gid: 1)

    private let users: [[UInt8]]
    private let id = Array("42".utf8)
    private let now = ContinuousClock.now
    private var machine: CacheStateMachine
    private var output = OutputBuffer()
    private var next = 0

    /// Creates a cache with a number of tokens.
    public init(tokens: Int) {
        users = (0..<tokens).map { Array("auth0|user-\($0)".utf8) }
        var policy = CachePolicy()
        policy.maxEntries = tokens
        let limits = TenantPolicy(
            identity: .init(host: "https://tenant.example", clientID: "client"),
            ratePerMinute: 10_000_000,
            burst: 10_000_000,
            maxConcurrent: 1_000
        )
        guard let storage = TokenStorage(in: AnonymousPages()) else { preconditionFailure("there are addresses left") }
        machine = CacheStateMachine(
            policy: policy,
            tenants: [Self.tenant: limits],
            memory: CacheMemory(storage: storage, clock: BootClock(), secrets: nil),
            random: SystemRandomNumberGenerator(),
            now: now
        )
        for user in users { mint(String(decoding: user, as: UTF8.self)) }
    }

    /// Answers a number of rounds of requests.
    ///
    /// - Returns: The number of hits.
    public mutating func lookUp(rounds: Int) -> Int {
        var hits = 0
        for _ in 0..<rounds {
            for _ in 0..<Self.hitsPerRound where answer() { hits += 1 }
            let sent = unsafe output.drain { $0.count }
            precondition(sent > Self.hitsPerRound * Self.tokenSize, "each hit has its token")
        }
        return hits
    }

    private mutating func answer() -> Bool {
        next = (next + Self.stride) % users.count
        let (user, id) = (users[next], id)
        return machine.answerHit(
            Self.tenant,
            .subject,
            user.span,
            Self.scopes,
            minTTL: nil,
            for: Self.peer.uid,
            at: machine.time(of: now),
            id: id.span,
            into: &output
        )
    }

    private mutating func mint(_ user: String) {
        let key = TokenKey(tenant: Self.tenant, user: UserLookup(field: .subject, value: user), scopes: Self.scopes)
        let options = RequestOptions(timeout: .seconds(10), peer: Self.peer)
        let actions = machine.request(key, options, waiter: Waiter(connection: 1, ticket: 1), now: now).actions
        for case .mint(let call, _, _) in actions.calls {
            let token = AccessToken(String(repeating: "t", count: Self.tokenSize))
            _ = machine.ended(call, .minted(token, scope: nil, lifetime: .seconds(3_600)), now: now, wall: Date())
        }
    }
}

@available(*, unavailable)
extension CacheDriver: Sendable {}
