import FleetProtocol
import NIOCore
import TokenCache

/// The machines: each notes from time to time in the engine that it is there, and counts the others.
extension FleetCoordinator {
    /// The time between two notes: a lost one doesn't make a machine disappear.
    private static let presenceInterval = Duration.seconds(15)
    /// The time for which a machine counts after its note.
    private static let presenceLife = Duration.seconds(60)

    private var machinesName: String { KeyNames.machines(prefix: settings?.prefix ?? "") }

    /// The slot of the set of machines.
    var presenceSlot: Int { ClusterSlot.of(machinesName) }

    /// Notes that this machine is there, counts the machines, and does so again after a time.
    func present() {
        presenceTimer?.cancel()
        presenceTimer = loop.assumeIsolated().scheduleTask(in: TimeAmount(Self.presenceInterval)) { [weak self] in
            self?.present()
        }
        guard let session = node(of: presenceSlot).flatMap({ nodes[$0]?.readySession }) else { return }
        transmit(EngineCommand("TIME").encoded, on: session, until: now + callTime) { [weak self] result in
            guard let self, case .success(let value) = result, let seconds = value.elements?.first?.number,
                1...10_000_000_000 ~= seconds
            else { return }
            self.note(at: seconds * 1_000, session)
        }
    }

    private func note(at time: Int64, _ session: EngineSession) {
        var note = EngineCommand("ZADD", machinesName)
        note.append(time)
        note.append(machine)
        let oldest = "\(time - Int64(Self.presenceLife.milliseconds))"
        let deadline = now + callTime
        transmit(note.encoded, on: session, until: deadline) { [weak self] result in self?.noted(result, session) }
        let removal = EngineCommand("ZREMRANGEBYSCORE", machinesName, "-inf", oldest)
        transmit(removal.encoded, on: session, until: deadline) { _ in }
        transmit(EngineCommand("ZCARD", machinesName).encoded, on: session, until: deadline) { [weak self] result in
            guard let self, case .success(.integer(let count)) = result else { return }
            self.count(Int(clamping: count))
        }
    }

    /// Follows a reference to the node that has the set of machines by now.
    private func noted(_ result: Result<RespValue, EngineFault>, _ session: EngineSession) {
        guard case .success(.error(let text)) = result else { return }
        if settings?.isCluster == true, case .moved(let slot, let address) = Redirection(text, from: session.address),
            permits(address)
        {
            routes.move(slot, to: address)
            return assign()
        }
        failed(EngineFault(error: text), text, on: session)
    }

    private func count(_ machines: Int) {
        guard machines != self.machines, machines > 0 else { return }
        self.machines = machines
        listener.fleetHappened(.machines(machines))
        changed()
    }
}
