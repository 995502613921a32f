extension StandInTenant {
    /// A request has arrived.
    func receive(_ request: IncomingRequest, on origin: Origin) -> TenantMachine.Reception {
        if case .control(let path) = Route(request.target, on: origin) {
            return .answer(control(path, request))
        }
        defer { check() }
        return machine.receive(request, on: origin, at: .now())
    }

    /// A call's latency has passed: its reply, or nothing where it waits at the gate and goes on later.
    func latencyPassed(
        _ call: CallNumber,
        then goOn: @escaping @Sendable (ReplyScript) -> Void
    ) -> ReplyScript? {
        defer { check() }
        guard machine.latencyPassed(call) else {
            heldCalls[call] = goOn
            return nil
        }
        return answer(call)
    }

    /// A call is over.
    func end(_ call: CallNumber) {
        heldCalls[call] = nil
        machine.end(call, at: .now)
        check()
    }

    /// Something came that is no request.
    func receiveRubbish(_ sentence: String) {
        machine.receiveRubbish(sentence)
        check()
    }

    /// Lets replies through that wait at the gate.
    func release(_ calls: [CallNumber]) {
        for call in calls {
            guard let goOn = heldCalls.removeValue(forKey: call) else { continue }
            goOn(answer(call))
        }
        check()
    }

    /// Ends the waits whose condition holds now; to be called after whatever is counted.
    func check() {
        waits.check(machine.ledger.counters)
    }

    private func answer(_ call: CallNumber) -> ReplyScript {
        do {
            return try machine.answer(call, at: .now())
        } catch {
            return OutgoingReply(500, text: "the stand-in can't sign a token: \(error)").script
        }
    }
}
