import OperatorReplies
import Secrets
import TokenProtocol

@testable import TokenCache

/// The end of each run: the tenants are well, nobody requests tokens any more, and all tables become empty.
extension ModelRun {
    func finishRun() throws {
        for tenant in tenants { tenant.behaviour = .well }
        isResting = true
        try finishSlices()
        try drain()
        for tenant in configured { try checkClient(of: tenant) }
        // Only the next call closes a circuit, and only the next mint proves a client.
        for tenant in configured {
            try askOnce(tenant.keys.first)
            for name in tenant.refusedClients.sorted() {
                try askOnce(tenant.keys.first { $0.key.user.clientName == name })
            }
        }
        try checkHealth()
        try expireEverything()
        try checkEmpty()
    }

    /// Lets all calls be sent and completed.
    private func drain() throws {
        for _ in 0..<5_000 {
            try finishSlices()
            try checkWhenIdle()
            for call in calls where call.isSent { try reply(to: call) }
            try finishSlices()
            let isOver = tenants.allSatisfy { $0.round == nil }
            if calls.isEmpty, waiters.isEmpty, isOver { return try recount() }
            if calls.contains(where: \.isSent) { continue }
            guard let wake else { throw violated("calls are queued, and nothing is due") }
            try passTime(wake - now)
        }
        throw violated("calls don't end though there are no requests")
    }

    /// Checks that a client is trusted, or that it could not be proven.
    private func checkClient(of tenant: ModelTenant) throws {
        if let probe = tenant.client.probe { throw violated("a probe was not sent: \(probe.position)") }
    }

    /// Makes one more request to a tenant that is well.
    private func askOnce(_ key: ModelKey?) throws {
        guard let key else { return }
        let tenant = key.tenant
        try evict(key.key.user, scopes: nil)
        try finishSlices()
        if let block = tenant.block(now) { try passTime(block - now) }
        let options = RequestOptions(timeout: .seconds(300), peer: Self.peer(1))
        if let error = try ask(key, options) {
            throw violated("a tenant that is well answers with an error: \(error.description)")
        }
        try drain()
        if key.entry == nil { throw violated("a tenant that is well has not minted") }
    }

    private func checkHealth() throws {
        let health = machine.health(now: now, wall: Self.wall)
        let ill = health.checks.filter { $0.status != .ok }
        guard ill.isEmpty else {
            let checks = ill.map { "\($0.name) of \($0.tenant ?? "none"): \($0.description ?? "")" }
            throw violated("all tenants are well, but health reports otherwise: \(checks.joined(separator: ", "))")
        }
    }

    /// Lets time pass until nothing is due any more.
    private func expireEverything() throws {
        for _ in 0..<5_000 {
            try letTimePass()
            try finishSlices()
            for call in calls where call.isSent { try reply(to: call) }
            try finishSlices()
            guard let wake else { return }
            try passTime(wake - now)
        }
        throw violated("the cache asks to be woken forever")
    }

    private func checkEmpty() throws {
        try recount()
        let isEmpty =
            machine.store.count == 0 && machine.store.bytes == 0 && machine.negatives.count == 0
            && machine.calls.count == 0 && machine.waiters.count == 0 && machine.waiters.peerCount == 0
            && machine.completions.isEmpty && machine.deferredWork.isEmpty && machine.revocationEnds.isEmpty
            && machine.tenantTimers.isEmpty && machine.tenants.count == configured.count
        guard isEmpty, entries.isEmpty, calls.isEmpty, waiters.isEmpty else { throw violated("the cache is not empty") }
        for tenant in machine.tenants.values where tenant.governor.queued != 0 || tenant.governor.underWay != 0 {
            throw violated("a governor counts calls that have ended")
        }
        let ended = counters.succeeded + counters.failed.values.reduce(0, +) + sentOnceMore
        guard counters.started == ended else { throw violated("\(counters.started) mints began, \(ended) ended") }
    }
}
