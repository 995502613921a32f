import OperatorReplies
import Secrets
import TokenProtocol

@testable import TokenCache

/// The end of each life: the tenants are well, nobody asks any more, and everything comes to rest.
extension ModelRun {
    func comeToRest() throws {
        for tenant in tenants { tenant.mood = .well }
        isResting = true
        try settle()
        try drain()
        for tenant in configured { try checkClient(of: tenant) }
        // A circuit is closed by the next call only, and a client proven by the next mint.
        for tenant in configured { try askOnce(tenant) }
        try checkHealth()
        if store != nil { endPersisting() }
        try fadeAway()
        try checkEmpty()
    }

    /// Lets all calls go and come back.
    private func drain() throws {
        for _ in 0..<5_000 {
            try settle()
            try checkSettled()
            for call in calls where call.isSent { try reply(to: call) }
            try settle()
            if calls.isEmpty, waiters.isEmpty { return try recount() }
            if calls.contains(where: \.isSent) { continue }
            guard let wake else { throw violated("calls are queued, and nothing is due") }
            try passTime(wake - now)
        }
        throw violated("there is no end of calls though nobody asks")
    }

    /// A client is trusted, or there was no proof to be had.
    private func checkClient(of tenant: ModelTenant) throws {
        if let probe = tenant.client.probe { throw violated("a probe has not gone: \(probe.place)") }
    }

    /// One more request to a tenant that is well.
    private func askOnce(_ tenant: ModelTenant) throws {
        guard let key = tenant.keys.first else { return }
        try evict(key.key.user, scopes: nil)
        try settle()
        if let block = tenant.block(now) { try passTime(block - now) }
        let options = RequestOptions(timeout: .seconds(300), peer: Self.peer(1))
        if let error = try ask(key, options) { throw violated("a tenant that is well refuses: \(error.description)") }
        try drain()
        if key.entry == nil { throw violated("a tenant that is well has not minted") }
    }

    private func checkHealth() throws {
        let health = machine.health(now: now, wall: Self.wall)
        let ill = health.checks.filter { $0.status != .ok }
        guard ill.isEmpty else {
            let checks = ill.map { "\($0.name) of \($0.tenant ?? "none"): \($0.description ?? "")" }
            throw violated("all tenants are well, but not in the daemon's eyes: \(checks.joined(separator: ", "))")
        }
    }

    /// Lets time pass until nothing is due any more.
    private func fadeAway() throws {
        for _ in 0..<5_000 {
            try letTimePass()
            try settle()
            for call in calls where call.isSent { try reply(to: call) }
            try settle()
            guard let wake else { return }
            try passTime(wake - now)
        }
        throw violated("the cache asks to be woken for ever")
    }

    private func checkEmpty() throws {
        try recount()
        let isEmpty =
            machine.store.count == 0 && machine.store.bytes == 0 && machine.negatives.count == 0
            && machine.calls.count == 0 && machine.waiters.count == 0 && machine.waiters.peerCount == 0
            && machine.settlements.isEmpty && machine.chores.isEmpty && machine.revocationEnds.isEmpty
            && machine.tenantTimers.isEmpty && machine.tenants.count == configured.count
        guard isEmpty, entries.isEmpty, calls.isEmpty, waiters.isEmpty else { throw violated("the cache is not empty") }
        for tenant in machine.tenants.values where tenant.governor.queued != 0 || tenant.governor.underWay != 0 {
            throw violated("a governor counts calls that have ended")
        }
        let ended = counters.succeeded + counters.failed.values.reduce(0, +) + sentOnceMore
        guard counters.started == ended else { throw violated("\(counters.started) mints began, \(ended) ended") }
    }
}
