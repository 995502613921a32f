import Dispatch
import Secrets
import Synchronization
import TokenCache
import TokenProtocol

/// A cache whose tokens are kept, with a tenant that mints at once and an account of what happened in which order.
struct PersistedWorld {
    let diary: Diary
    let cache: TokenCache

    init(policy: CachePolicy = CachePolicy(), tenants: [TenantID: TenantPolicy] = ["main": .test()]) {
        let diary = Diary()
        self.diary = diary
        cache = TokenCache(
            on: QueueExecutor(),
            policy: policy,
            tenants: tenants,
            dependencies: TokenCache.Dependencies(
                now: { diary.now },
                wake: { _ in },
                deliver: { diary.answer($0) },
                notify: { _ in },
                audit: { _ in }
            )
        )
    }

    /// Does something while the tenant is called as the cache orders.
    func live(_ body: () async throws -> Void) async rethrows {
        let calls = Task { await cache.run(PromptTenant()) }
        try await body()
        cache.stop()
        await calls.value
    }

    /// Lets the cache begin with what an earlier daemon has kept.
    ///
    /// - Parameter isFull: Whether the keeper takes nothing, until it is told that a file is stored.
    @discardableResult
    func begin(with kept: [PersistedToken] = [], isFull: Bool = false) async -> Int {
        diary.isFull = isFull
        return await cache.restore(from: DiaryStore(kept, diary))
    }

    /// Asks for a token and waits for the answer.
    func ask(_ subject: String, noCache: Bool = false) async -> TokenReply? {
        let options = RequestOptions(noCache: noCache, peer: Peer(uid: 7, gid: 0))
        let ticket = diary.newTicket()
        let waiter = Waiter(connection: 1, ticket: ticket)
        let reply = await withCheckedContinuation { answered in
            diary.wait(ticket, answered)
            Task {
                let reply = await cache.token(.of(subject), options, waiter: waiter, now: diary.now)
                if let reply { diary.answer(Delivery(waiter: waiter, reply: reply)) }
            }
        }
        if case .token(let reply) = reply { return reply }
        return nil
    }
}

/// What happened to a ``PersistedWorld``.
final class Diary: Sendable {
    enum Event: Equatable {
        case kept(String)
        case dropped(String)
        case used(String)
        case answered
        case ended
    }

    private struct State {
        var now = Simulation.start
        var events: [Event] = []
        var isFull = false
        var tickets: UInt64 = 0
        var waiting: [UInt64: CheckedContinuation<Reply, Never>] = [:]
        var awaited: (event: Event, happened: CheckedContinuation<Void, Never>)?
    }

    private let state = Mutex(State())

    var now: Instant { state.withLock { $0.now } }
    var isFull: Bool {
        get { state.withLock { $0.isFull } }
        set { state.withLock { $0.isFull = newValue } }
    }

    /// The events since this was last asked.
    func events() -> [Event] {
        state.withLock { state in
            defer { state.events = [] }
            return state.events
        }
    }

    func advance(_ duration: Duration) { state.withLock { $0.now += duration } }

    func note(_ event: Event) {
        let happened = state.withLock { state in
            state.events.append(event)
            guard state.awaited?.event == event else { return nil as CheckedContinuation<Void, Never>? }
            defer { state.awaited = nil }
            return state.awaited?.happened
        }
        happened?.resume()
    }

    /// Waits until something happens, or has happened since the events were last asked for.
    func until(_ event: Event) async {
        await withCheckedContinuation { happened in
            let isOver = state.withLock { state in
                guard !state.events.contains(event) else { return true }
                state.awaited = (event, happened)
                return false
            }
            if isOver { happened.resume() }
        }
    }

    func newTicket() -> UInt64 {
        state.withLock { state in
            state.tickets += 1
            return state.tickets
        }
    }

    func wait(_ ticket: UInt64, _ answered: CheckedContinuation<Reply, Never>) {
        state.withLock { $0.waiting[ticket] = answered }
    }

    func answer(_ delivery: Delivery) {
        let answered = state.withLock { state in
            state.events.append(.answered)
            return state.waiting.removeValue(forKey: delivery.waiter.ticket)
        }
        answered?.resume(returning: delivery.reply)
    }
}

/// Keeps tokens in an array and writes a diary of it.
final class DiaryStore: TokenStore {
    private let diary: Diary
    private var places: [PersistedToken?] = []
    private let earlier: [PersistedToken]

    init(_ earlier: [PersistedToken], _ diary: Diary) {
        self.earlier = earlier
        self.diary = diary
    }

    func restore(to take: (Int, PersistedToken) -> Bool) {
        for token in earlier {
            let isTaken = take(places.count, token)
            if isTaken { places.append(token) } else { diary.note(.dropped(token.name)) }
        }
    }

    func persist(_ token: PersistedToken) -> Int? {
        guard !diary.isFull else { return nil }
        places.append(token)
        diary.note(.kept(token.name))
        return places.count - 1
    }

    func remove(_ place: Int) {
        diary.note(.dropped(places[place]?.name ?? "nothing"))
        places[place] = nil
    }

    func note(_ place: Int, lastAsked: Instant) { diary.note(.used(places[place]?.name ?? "nothing")) }

    func stored(_ generation: UInt64) -> Bool {
        defer { diary.isFull = false }
        return diary.isFull
    }

    func end() { diary.note(.ended) }
}

extension PersistedToken {
    /// Whose it is and which one: its text's last part.
    fileprivate var name: String {
        let bytes = unsafe token.text.withUnsafeBytes { unsafe Array($0) }
        return String(decoding: bytes[token.tokenRange], as: UTF8.self)
    }
}

/// A tenant that answers at once, with tokens that name their user and their number.
private final class PromptTenant: TenantCalling {
    private let minted = Mutex<[TokenKey: Int]>([:])

    func mint(_ key: TokenKey) async -> MintOutcome {
        let number = minted.withLock { minted in
            minted[key, default: 0] += 1
            return minted[key, default: 0]
        }
        let user = String(decoding: key.user.user.value, as: UTF8.self)
        return .minted(AccessToken("\(user)-\(number)"), scope: nil, lifetime: .seconds(1_000))
    }

    func revoke(_ token: AccessToken, tenant: TenantID) async -> RevocationOutcome { .accepted }
}

/// Runs an actor's jobs one after another.
private final class QueueExecutor: SerialExecutor {
    private let queue = DispatchQueue(label: "cache")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { unsafe job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}
