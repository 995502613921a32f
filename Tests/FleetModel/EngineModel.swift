package import FleetProtocol

/// The engine, as a value.
///
/// A copy of it is a replica, and an earlier copy what a failover or a restart has kept.
package struct EngineModel: Sendable, Equatable {
    /// A stored token.
    struct StoredToken: Sendable, Equatable {
        var epoch: String
        var fence: Int64
        var mark: String
        var sealed: [UInt8]
    }

    /// The lease of a mint.
    struct Lease: Sendable, Equatable {
        var epoch: String
        var fence: Int64
        var nonce: String
    }

    /// A stored denial.
    struct Refusal: Sendable, Equatable {
        var fence: Int64
        var sealed: [UInt8]
    }

    /// A token bucket, with 60,000 for each call.
    struct Bucket: Sendable, Equatable {
        var level: Int
        var at: Int64
    }

    /// The identity of the engine's process.
    package private(set) var epoch: String
    /// The number of events that are kept of each tenant.
    package var eventLimit = EngineScript.events

    var tokens = ExpiringTable<StoredToken>()
    var leases = ExpiringTable<Lease>()
    var refusals = ExpiringTable<Refusal>()
    var indexes = ExpiringTable<Set<String>>()
    /// The fences up to which tokens are invalid, of tenants, users and tokens.
    var generations = ExpiringTable<Int64>()
    var fences = ExpiringTable<Int64>()
    var buckets = ExpiringTable<Bucket>()
    var holds = ExpiringTable<String>()
    var claims = ExpiringTable<Bool>()
    var counts = ExpiringTable<Int64>()
    var streams = ExpiringTable<[EngineEvent]>()
    /// The times of the machines' notes, by the names of their sets.
    var notes: [String: [String: Int64]] = [:]

    private var calls = 0

    /// Creates an engine that has nothing.
    package init(epoch: String) { self.epoch = epoch }

    /// Does what a script does at a time of the engine's clock.
    package mutating func perform(_ call: EngineCall, at time: Int64) -> EngineAnswer {
        calls += 1
        if calls.isMultiple(of: 65_536) { removeExpired(at: time) }
        switch call {
        case .look(let look): return perform(look, time)
        case .pay(let pay): return perform(pay, time)
        case .store(let store): return EngineAnswer(outcome: perform(store, time), time: time)
        case .release(let release): return EngineAnswer(outcome: perform(release, time), time: time)
        case .renew(let renew): return EngineAnswer(outcome: perform(renew, time), time: time)
        case .drop(let drop): return EngineAnswer(outcome: perform(drop, time), time: time)
        case .take(_, let values, let fence):
            return EngineAnswer(outcome: take(values, upTo: fence, time), time: time)
        case .hold(let hold): return EngineAnswer(outcome: perform(hold, time), time: time)
        case .claim(let name, let milliseconds):
            return EngineAnswer(outcome: claim(name, milliseconds, time), time: time)
        case .state(let state): return perform(state, time)
        case .move(let move): return EngineAnswer(outcome: perform(move, time), time: time)
        case .present(let present): return EngineAnswer(outcome: perform(present, time), time: time)
        }
    }

    /// Starts anew, with or without what was stored.
    package mutating func restart(epoch: String, keeping: Bool) {
        let limit = eventLimit
        if !keeping { self = EngineModel(epoch: epoch) }
        eventLimit = limit
        self.epoch = epoch
    }

    /// The number of values of all kinds, for a simulation that demands that all is forgotten at some time.
    package mutating func count(at time: Int64) -> Int {
        removeExpired(at: time)
        return tokens.count + leases.count + refusals.count + indexes.count + generations.count + fences.count
            + buckets.count + holds.count + claims.count + counts.count + streams.count
    }

    private mutating func removeExpired(at time: Int64) {
        tokens.removeExpired(at: time)
        leases.removeExpired(at: time)
        refusals.removeExpired(at: time)
        indexes.removeExpired(at: time)
        generations.removeExpired(at: time)
        fences.removeExpired(at: time)
        buckets.removeExpired(at: time)
        holds.removeExpired(at: time)
        claims.removeExpired(at: time)
        counts.removeExpired(at: time)
        streams.removeExpired(at: time)
    }
}
