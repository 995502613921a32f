import FleetProtocol
import NIOCore
import TokenCache

/// The machines: each notes from time to time in the engine that it is there, and reads the others' notes.
extension FleetCoordinator {
    /// The time for which a machine counts after its note.
    private static let presenceLife = Duration.seconds(60)
    /// The most notes that are read, so that the answer is shorter than the parser's limit.
    private static let mostNotes = 5_000

    private var machinesName: String { KeyNames.machines(prefix: settings?.prefix ?? "") }

    /// The slot of the set of machines.
    var presenceSlot: Int { ClusterSlot.of(machinesName) }

    private var presenceSession: EngineSession? { node(of: presenceSlot).flatMap { nodes[$0]?.readySession } }

    /// Notes that this machine is there, reads the others' notes, and does so again after a time.
    func present() {
        guard dependencies.announces else { return }
        presenceTimer?.cancel()
        let interval = TimeAmount(dependencies.presenceInterval)
        presenceTimer = loop.assumeIsolated().scheduleTask(in: interval) { [weak self] in
            self?.verify()
            self?.present()
        }
        guard let session = presenceSession else {
            presence.lost()
            return changed()
        }
        transmit(EngineCommand("TIME").encoded, on: session, until: now + callTime) { [weak self] result in
            guard let self, case .success(let value) = result, let numbers = value.elements?.compactMap(\.number),
                numbers.count == 2, 1...10_000_000_000 ~= numbers[0], 0..<1_000_000 ~= numbers[1]
            else { return }
            self.write(at: numbers[0] * 1_000 + numbers[1] / 1_000, session)
        }
    }

    private func write(at time: Int64, _ session: EngineSession) {
        guard let keys = settings?.keys.ids, let first = keys.first else { return }
        let (own, deadline) = (FleetPresence.note(machine, keys: keys), now + callTime)
        if let note, note != own {
            transmit(EngineCommand("ZREM", machinesName, note).encoded, on: session, until: deadline) { _ in }
        }
        note = own
        var command = EngineCommand("ZADD", machinesName)
        command.append(time)
        command.append(own)
        transmit(command.encoded, on: session, until: deadline) { [weak self] result in self?.noted(result, session) }
        let oldest = "\(time - Int64(Self.presenceLife.milliseconds))"
        let removal = EngineCommand("ZREMRANGEBYSCORE", machinesName, "-inf", oldest)
        transmit(removal.encoded, on: session, until: deadline) { _ in }
        let range = EngineCommand("ZRANGE", machinesName, "-\(Self.mostNotes)", "-1")
        transmit(range.encoded, on: session, until: deadline) { [weak self] result in
            guard let self, case .success(let value) = result, let notes = value.elements else { return }
            self.read(notes.compactMap(\.text), first: first)
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

    private func read(_ notes: [String], first: String) {
        let before = presence.machines
        presence.read(notes, first: first, at: now)
        changed()
        guard presence.machines != before, presence.machines > 0 else { return }
        listener.fleetHappened(.machines(presence.machines))
    }

    /// Removes this machine's note.
    ///
    /// - Parameter ended: Called once if the engine is asked, when it has answered or the connection is lost.
    /// - Returns: True if the engine is asked.
    @discardableResult
    func withdraw(_ ended: @escaping () -> Void = {}) -> Bool {
        guard let note, let session = presenceSession else { return false }
        self.note = nil
        session.send(EngineCommand("ZREM", machinesName, note).encoded) { _ in ended() }
        return true
    }

    // MARK: Identities

    /// Reads the identities of all nodes again.
    ///
    /// A connection may outlive a demotion and a promotion.
    private func verify() {
        for node in nodes.values { node.readySession.map(verify) }
    }

    private func verify(_ session: EngineSession) {
        var answers: [RespValue] = []
        for command in EngineIdentity.commands {
            transmit(command.encoded, on: session, until: now + callTime) { [weak self] result in
                guard let self, case .success(let value) = result else { return }
                answers.append(value)
                if answers.count == 2 {
                    self.compare(session, EngineIdentity(server: answers[0], replication: answers[1]))
                }
            }
        }
    }

    private func compare(_ session: EngineSession, _ identity: EngineIdentity?) {
        guard let node = nodes[session.address], node.session === session else { return }
        guard let identity else { return lose(node, .malformed, "no identity in the answers to INFO") }
        guard identity.isPrimary || settings?.isCluster == true else {
            return lose(node, .readOnly, EngineHandshake.replica)
        }
        if identity.epoch != session.epoch { lose(node, .connectionLost, "the engine was a replica for a time") }
    }
}
