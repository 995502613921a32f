import NIOCore

extension StandInTenant {
    /// What it has counted.
    package var counters: Counters { machine.ledger.counters }

    /// The requests that came, the oldest first; of very many only the later ones.
    package var requests: [SeenRequest] { machine.ledger.requests }

    /// The rules of the contract that were broken, a sentence each.
    ///
    /// A test of the daemon asserts that there is none.
    package var violations: [String] { machine.ledger.violations }

    /// How many calls named a user, refused and failed ones included; without a scope, those for any.
    package func callCount(field: LookupField = .subject, value: String, scope: String? = nil) -> Int {
        sum(counters.callsByKey, field, value, scope)
    }

    /// How many tokens went out for a user; without a scope, those for any.
    package func mintCount(field: LookupField = .subject, value: String, scope: String? = nil) -> Int {
        sum(counters.mintsByKey, field, value, scope)
    }

    private func sum(_ counts: [MintKey: Int], _ field: LookupField, _ value: String, _ scope: String?) -> Int {
        counts.reduce(0) { sum, entry in sum + (entry.key.belongs(to: field, value, scope: scope) ? entry.value : 0) }
    }

    /// Forgets what was counted, and begins every script anew.
    package func resetCounters() {
        machine.reset()
    }

    /// Whether a token was handed out here, hasn't run out and isn't revoked.
    package func isLive(_ token: String) -> Bool {
        machine.tokens.isLive(token, at: .now)
    }

    /// Revokes a token from the tenant's side; whether it was live.
    @discardableResult
    package func revoke(_ token: String) -> Bool {
        machine.revoke(token, at: .now)
    }

    /// The key that verifies the tokens' signatures, as PEM.
    package var tokenKeyPEM: String { machine.minter.publicKeyPEM }
}

extension StandInTenant {
    /// Makes replies wait at the gate, once their latency is over; control requests pass.
    package func holdReplies() {
        machine.hold(forValue: nil)
    }

    /// Makes the replies for one subject or user id wait.
    package func holdReplies(forValue value: String) {
        machine.hold(forValue: value)
    }

    /// Lets all replies through that wait, and opens the gate.
    package func releaseReplies() {
        release(machine.release(count: nil))
    }

    /// Lets the oldest replies through that wait; the gate stays shut.
    package func releaseReplies(count: Int) {
        release(machine.release(count: count))
    }

    /// Waits until so many replies wait at the gate.
    package func waitForHeldReplies(count: Int, within limit: Duration = .seconds(10)) async throws {
        try await wait(within: limit) { counters in counters.held >= count }
    }

    /// Waits until so many calls of the token endpoint have arrived, since the start or the last reset.
    package func waitForCalls(count: Int, within limit: Duration = .seconds(10)) async throws {
        try await wait(within: limit) { counters in counters.calls >= count }
    }

    /// Waits until so many calls of the revocation endpoint have arrived, likewise.
    package func waitForRevocations(count: Int, within limit: Duration = .seconds(10)) async throws {
        try await wait(within: limit) { counters in counters.revocations >= count }
    }

    /// Waits until a condition holds for the counters; throws where it doesn't within the limit.
    package func wait(
        within limit: Duration = .seconds(10),
        until condition: @escaping @Sendable (Counters) -> Bool
    ) async throws {
        guard !condition(counters) else { return }
        guard !isStopped else { throw Fault("the stand-in was stopped") }
        let number = waits.nextNumber()
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                addWait(number, limit, condition, continuation)
            }
        } onCancel: {
            // The loop does one thing after another: the wait has been added when this comes.
            loop.execute { self.assumeIsolated { tenant in tenant.waits.end(number, .failure(CancellationError())) } }
        }
    }

    private func addWait(
        _ number: Int,
        _ limit: Duration,
        _ condition: @escaping @Sendable (Counters) -> Bool,
        _ continuation: CheckedContinuation<Void, any Error>
    ) {
        let deadline = loop.scheduleTask(in: TimeAmount(limit)) {
            self.assumeIsolated { tenant in
                let counters = tenant.counters
                tenant.waits.end(number, .failure(Fault("within \(limit) it did not happen; counted: \(counters)")))
            }
        }
        waits.add(number, until: condition, continuation, deadline: deadline)
    }
}
