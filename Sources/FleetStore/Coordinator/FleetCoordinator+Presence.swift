import FleetProtocol
import NIOCore
import TokenCache

/// The machines: each notes from time to time in the engine that it is there and which keys it has, and looks at the others.
extension FleetCoordinator {
    /// The time between two notes: a lost one doesn't make a machine disappear.
    private static let presenceInterval = Duration.seconds(15)
    /// The time for which a machine counts after its note.
    static let presenceLife = Duration.seconds(60)
    /// The most machines that are looked at, which bounds the answer.
    private static let mostMachines = 5_000

    private var machinesName: String { KeyNames.machines(prefix: settings?.prefix ?? "") }

    /// The slot of the set of machines.
    var presenceSlot: Int { ClusterSlot.of(machinesName) }

    /// Notes that this machine is there, counts the machines, and does so again after a time.
    func present() {
        guard dependencies.announces else { return }
        presenceTimer?.cancel()
        presenceTimer = loop.assumeIsolated().scheduleTask(in: TimeAmount(Self.presenceInterval)) { [weak self] in
            self?.present()
        }
        guard let session = node(of: presenceSlot).flatMap({ nodes[$0]?.readySession }) else { return }
        transmit(EngineCommand("TIME").encoded, on: session, until: now + callTime) { [weak self] result in
            guard let self, case .success(let value) = result, let numbers = value.elements?.compactMap(\.number),
                numbers.count == 2, 1...10_000_000_000 ~= numbers[0], 0..<1_000_000 ~= numbers[1]
            else { return }
            self.note(at: numbers[0] * 1_000 + numbers[1] / 1_000, session)
        }
    }

    private func note(at time: Int64, _ session: EngineSession) {
        var note = EngineCommand("ZADD", machinesName)
        note.append(time)
        note.append(MachineNote(machine, keys: keyIDs).text)
        let oldest = "\(time - Int64(Self.presenceLife.milliseconds))"
        let deadline = now + callTime
        transmit(note.encoded, on: session, until: deadline) { [weak self] result in self?.noted(result, session) }
        let removal = EngineCommand("ZREMRANGEBYSCORE", machinesName, "-inf", oldest)
        transmit(removal.encoded, on: session, until: deadline) { _ in }
        let notes = EngineCommand("ZRANGE", machinesName, "0", "\(Self.mostMachines - 1)")
        transmit(notes.encoded, on: session, until: deadline) { [weak self] result in
            guard let self, case .success(let value) = result, let members = value.elements else { return }
            self.look(at: members.compactMap { $0.text.map(MachineNote.init) })
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

    private func look(at notes: [MachineNote]) {
        let before = machines.count
        guard machines.note(notes, sealing: keyIDs.first, at: now) else { return }
        if machines.count != before { listener.fleetHappened(.machines(machines.count)) }
        changed()
    }
}
