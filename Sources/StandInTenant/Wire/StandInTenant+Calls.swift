import FoundationEssentials
import NIOHTTP1

extension StandInTenant {
    /// Takes a request that has arrived.
    func receive(_ request: IncomingRequest, on origin: Origin) -> TenantMachine.Reception {
        if case .control(let path) = Route(request.head.uri, on: origin) {
            return .answer(control(path, request))
        }
        defer { checkWaits() }
        return machine.receive(request, on: origin, at: .now)
    }

    /// Returns the reply of a call whose latency has passed, or passes it to the closure later if it is held.
    func latencyPassed(_ call: Int, then reply: @escaping @Sendable ([ReplyStep]) -> Void) -> [ReplyStep]? {
        defer { checkWaits() }
        guard machine.latencyPassed(call) else {
            heldCalls[call] = reply
            return nil
        }
        return answer(call)
    }

    /// Closes a call.
    func end(_ call: Int) {
        heldCalls[call] = nil
        machine.end(call)
        checkWaits()
    }

    /// Notes that a connection carried something other than requests.
    func receiveMalformed(_ sentence: String) {
        machine.log.note(malformed: sentence)
        checkWaits()
    }

    /// Sends held replies.
    func release(_ calls: [Int]) {
        for call in calls {
            heldCalls.removeValue(forKey: call)?(answer(call))
        }
        checkWaits()
    }

    private func answer(_ call: Int) -> [ReplyStep] {
        do {
            return try machine.answer(call, at: .now)
        } catch {
            return OutgoingReply(500, text: "the stand-in can't sign a token: \(error)").steps
        }
    }
}
