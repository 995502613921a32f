import FleetProtocol
import NIOCore
import TokenCache

/// A call that has been sent, or waits for a connection.
struct PendingCall {
    /// The session that it was sent on.
    var session: EngineSession?
    /// A function that gets the answer.
    var completion: EngineConnection.Completion
}

/// The calls: each ends by its answer, its failure or its deadline.
extension FleetCoordinator {
    /// The time limit of a call.
    var callTime: Duration { settings?.timeout ?? FleetSettings.defaultTimeout }

    /// Sends a command.
    func transmit(
        _ command: [UInt8],
        on session: EngineSession,
        until deadline: Instant,
        _ completion: @escaping EngineConnection.Completion
    ) {
        counters.calls += 1
        changed()
        let id = calls.add(PendingCall(session: session, completion: completion), until: deadline)
        schedule(deadline)
        session.send(command) { [weak self] result in
            guard let self, let call = self.calls.take(id) else { return }
            if case .failure(let fault) = result { self.failed(fault, "", on: session) }
            call.completion(result)
        }
    }

    /// Runs something when a node can be asked, or fails it.
    private func whenReady(
        _ node: NodeConnections,
        until deadline: Instant,
        _ body: @escaping (Result<EngineSession, EngineFault>) -> Void
    ) {
        if let session = node.readySession { return body(.success(session)) }
        let id = calls.add(
            PendingCall(session: nil) { result in
                if case .failure(let fault) = result { body(.failure(fault)) }
            },
            until: deadline
        )
        schedule(deadline)
        node.waiting.append { [weak self, weak node] fault in
            guard let self, self.calls.take(id) != nil else { return }
            guard fault == nil, let session = node?.readySession else { return body(.failure(fault ?? .notConnected)) }
            body(.success(session))
        }
    }

    private func schedule(_ deadline: Instant) {
        guard deadlineTimer == nil else { return }
        deadlineTimer = loop.assumeIsolated().scheduleTask(in: TimeAmount(max(deadline - now, .zero))) { [weak self] in
            self?.expire()
        }
    }

    private func expire() {
        deadlineTimer = nil
        for call in calls.takeExpired(at: now) {
            if let session = call.session { failed(.timeout, "", on: session) }
            call.completion(.failure(.timeout))
        }
        if let next = calls.nextDeadline { schedule(next) }
    }

    // MARK: Scripts

    /// Runs a script on a node, and follows the node's references to others.
    ///
    /// - Parameter asking: The epoch under which the values were stored, if the node is about to get the slot.
    func run(_ run: ScriptRun, at address: EngineAddress, asking: String? = nil, inFull: Bool = false) {
        guard let node = nodes[address] else { return run.end(.failure(.notConnected)) }
        whenReady(node, until: run.deadline) { [weak self] result in
            switch result {
            case .success(let session): self?.send(run, on: session, asking: asking, inFull: inFull)
            case .failure(let fault): run.end(.failure(fault))
            }
        }
    }

    private func send(_ run: ScriptRun, on session: EngineSession, asking: String?, inFull: Bool) {
        guard let epoch = asking ?? session.epoch, let call = run.call(epoch, now) else {
            return run.end(.failure(.notConnected))
        }
        // An engine that doesn't know a script would let later calls overtake it, such as a look the drop before it.
        let isFirst = session.noteUse(of: call.script)
        let script = inFull || isFirst || run.keepsOrder ? call.loadingCommand : call.command
        if asking != nil { session.send(EngineCommand("ASKING").encoded) { _ in } }
        transmit(script.encoded, on: session, until: run.deadline) { [weak self] result in
            switch result {
            case .success(.error(let text)): self?.refused(run, text, session, asking: asking)
            case .success(let value): self?.answered(run, call, value, session, epoch)
            case .failure(let fault): run.end(.failure(fault))
            }
        }
    }

    private func answered(
        _ run: ScriptRun,
        _ call: EngineCall,
        _ value: RespValue,
        _ session: EngineSession,
        _ epoch: String
    ) {
        do {
            let answer = try EngineAnswer(to: call, value)
            succeeded(on: session)
            run.end(.success((answer, epoch)))
        } catch {
            failed(.malformed, "\(error)", on: session)
            run.end(.failure(.malformed))
        }
    }

    private func refused(_ run: ScriptRun, _ text: String, _ session: EngineSession, asking: String?) {
        let isCluster = settings?.isCluster ?? false
        switch run.route.failed(text, from: session.address, isCluster: isCluster) {
        case .sendScript: self.run(run, at: session.address, asking: asking, inFull: true)
        case .again: self.run(run, at: session.address, asking: asking)
        case .move(let slot, let address) where permits(address):
            routes.move(slot, to: address)
            assign()
            self.run(run, at: address)
        case .ask(let address) where permits(address):
            visit(address)
            self.run(run, at: address, asking: session.epoch)
        case .move, .ask:
            failed(.clusterDown, "a reference to another machine without TLS", on: session)
            run.end(.failure(.clusterDown))
        case .fail(let fault):
            failed(fault, text, on: session)
            run.end(.failure(fault))
        }
    }
}

/// A script's run, from node to node.
final class ScriptRun {
    /// The call for an epoch, made anew for each node.
    let call: (_ epoch: String, _ now: Instant) -> EngineCall?
    let deadline: Instant
    /// True if the script is always sent as a whole.
    ///
    /// An engine that doesn't know its hash would refuse it, and run the calls behind it before it is sent again.
    let keepsOrder: Bool
    var route = CallRoute()
    private let completion: (Result<(EngineAnswer, epoch: String), EngineFault>) -> Void

    /// Creates a run.
    init(
        until deadline: Instant,
        keepsOrder: Bool = false,
        call: @escaping (_ epoch: String, _ now: Instant) -> EngineCall?,
        _ completion: @escaping (Result<(EngineAnswer, epoch: String), EngineFault>) -> Void
    ) {
        (self.deadline, self.keepsOrder) = (deadline, keepsOrder)
        self.call = call
        self.completion = completion
    }

    /// Ends the run.
    func end(_ result: Result<(EngineAnswer, epoch: String), EngineFault>) { completion(result) }
}
