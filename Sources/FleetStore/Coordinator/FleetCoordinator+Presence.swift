import FleetProtocol
import NIOCore
import TokenCache

/// The machines: each notes from time to time in the engine that it is there, and reads the others' notes.
extension FleetCoordinator {
    /// The time for which a machine counts after its note.
    private static let presenceLife = Duration.seconds(60)
    /// The time after which a machine that has connected looks again.
    private static let secondLook = Duration.seconds(1)

    private var machinesName: String { KeyNames.machines(prefix: settings?.prefix ?? "") }

    /// The slot of the set of machines.
    var presenceSlot: Int { ClusterSlot.of(machinesName) }

    private var presenceSession: EngineSession? { node(of: presenceSlot).flatMap { nodes[$0]?.readySession } }

    /// Notes that this machine is there, reads the others' notes, and does so again after a time.
    ///
    /// - Parameter isFirst: True after a connection. Machines that start together find each other by another look soon.
    func present(isFirst: Bool = true) {
        guard dependencies.announces else { return }
        presenceTimer?.cancel()
        let interval = dependencies.presenceInterval
        let pause = isFirst ? min(Self.secondLook, interval) : interval
        presenceTimer = loop.assumeIsolated().scheduleTask(in: TimeAmount(pause)) { [weak self] in
            if !isFirst { self?.verify() }
            self?.present(isFirst: false)
        }
        guard let address = node(of: presenceSlot), let session = presenceSession, let keys = settings?.keys.ids,
            let first = keys.first
        else {
            presence.lost()
            return changed()
        }
        let own = FleetPresence.note(machine, keys: keys)
        let earlier = note == own ? nil : note
        note = own
        let life = Self.presenceLife.milliseconds
        let call = EngineCall.present(EnginePresence(name: machinesName, note: own, earlier: earlier, life: life))
        let run = ScriptRun(
            until: now + callTime,
            call: { _, _ in call },
            { [weak self] result in
                // After a change of settings another engine counts.
                guard let self, self.presenceSession === session, case .success((let answer, _)) = result,
                    case .present(let notes) = answer.outcome
                else { return }
                self.read(notes, first: first)
            }
        )
        self.run(run, at: address)
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
