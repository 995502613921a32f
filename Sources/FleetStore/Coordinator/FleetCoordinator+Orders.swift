import FleetProtocol
import TokenCache

/// The orders of the cache.
extension FleetCoordinator {
    /// Performs an order, and answers it within the time limit.
    func perform(_ order: FleetOrder) {
        let operation = FleetOperation(order)
        guard let tenant = tenants[order.tenant], tenant.state == .connected else {
            keepLease(of: order)
            return reply(operation.failed)
        }
        proceed(RunningOrder(operation, of: order.tenant, until: now + callTime))
    }

    private func proceed(_ order: RunningOrder) {
        guard let tenant = tenants[order.tenant], let address = tenant.node else { return fail(order) }
        let run = ScriptRun(
            until: order.deadline,
            keepsOrder: order.operation.isDrop,
            call: { [weak self] epoch, now in
                guard let translator = self?.tenants[order.tenant]?.translator else { return nil }
                return order.operation.call(translator, epoch: epoch, now: now)
            },
            { [weak self] result in self?.answered(order, result) }
        )
        self.run(run, at: address)
    }

    private func answered(_ order: RunningOrder, _ result: Result<(EngineAnswer, epoch: String), EngineFault>) {
        guard case .success((let answer, let epoch)) = result, let tenant = tenants[order.tenant] else {
            return fail(order)
        }
        note(answer.outcome, of: order)
        tenants[order.tenant]?.see(answer.outcome.fence ?? 0, EngineTime(time: answer.time, at: now))
        do throws(EngineFault) {
            let step = try order.operation.answered(
                answer,
                tenant.translator,
                epoch: epoch,
                clock: Clock(now: now, wall: dependencies.wall()),
                memory: dependencies.memory
            )
            switch step {
            case .end(let reply):
                end(order, reply)
                move(order)
            case .call: proceed(order)
            }
        } catch {
            counters.fail(error, "an answer that no script gives")
            fail(order)
        }
    }

    private func fail(_ order: RunningOrder) {
        keepLease(of: order.operation.order)
        if let tenant = tenants[order.tenant], tenant.state == .connected { giveLateLeasesBack(of: order.tenant) }
        end(order, order.operation.failed)
    }

    /// Stores a token under the first key that was found under another one, so that the other one can be dropped.
    ///
    /// Before all machines seal with that key they would move it to and fro.
    private func move(_ order: RunningOrder) {
        guard presence.settledSince != nil, let found = order.operation.misplaced, let tenant = tenants[order.tenant],
            let address = tenant.node
        else { return }
        let run = ScriptRun(
            until: now + callTime,
            call: { epoch, _ in tenant.translator.move(found, epoch: epoch) },
            // The token may stay where it is, too.
            { _ in }
        )
        self.run(run, at: address)
    }

    private func end(_ order: RunningOrder, _ reply: FleetOperation.Reply) {
        counters.opened.merge(order.operation.opened) { $0 + $1 }
        counters.notOpened.merge(order.operation.notOpened) { $0 + $1 }
        changed()
        self.reply(reply)
    }

    private func reply(_ reply: FleetOperation.Reply) {
        switch reply {
        case .answered(let call, let answer): listener.fleetAnswered(call, answer)
        case .dropped(let drop, let answer): listener.fleetDropAnswered(drop, answer)
        case .claimed(let call, let isOurs): listener.revocationClaimed(call, isOurs)
        case .limits(let tenant, let limits): listener.fleetHappened(.limits(tenant, limits))
        case .none: break
        }
    }
}

/// An order that is being performed.
final class RunningOrder {
    var operation: FleetOperation
    let tenant: TenantID
    let deadline: Instant

    init(_ operation: FleetOperation, of tenant: TenantID, until deadline: Instant) {
        (self.operation, self.tenant, self.deadline) = (operation, tenant, deadline)
    }
}
