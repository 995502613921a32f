extension StandInTenant {
    /// Answers a control request.
    func control(_ path: String, _ request: IncomingRequest) -> ReplyScript {
        var reply: OutgoingReply
        var then: [ReplyScript.Step] = []
        do {
            let command = try ControlCommand(path, request)
            if case .refuse(let duration) = command { then = [.refuse(duration)] }
            reply = try perform(command)
        } catch {
            reply = OutgoingReply(400, json: .members(["error": .string("\(error)")]))
        }
        reply.closes = !request.keepsAlive
        return ReplyScript([.send(reply.head + reply.framedBody)] + then + (reply.closes ? [.close] : []))
    }

    private func perform(_ command: ControlCommand) throws -> OutgoingReply {
        switch command {
        case .behaviours: return OutgoingReply(200, text: BehaviourTable.help)
        case .certificateAuthority: return OutgoingReply(200, text: certificateAuthorityPEM)
        case .counters: return OutgoingReply(200, json: counters.json)
        case .requests: return OutgoingReply(200, json: .array(requests.map { $0.json(since: started) }))
        case .violations: return OutgoingReply(200, json: .array(violations.map(JSONValue.string)))
        case .live(let token): return OutgoingReply(200, json: .members(["live": .boolean(isLive(token))]))
        case .revoke(let token): return OutgoingReply(200, json: .members(["revoked": .boolean(revoke(token))]))
        default:
            try change(command)
            return OutgoingReply(200, json: .members([:]))
        }
    }

    private func change(_ command: ControlCommand) throws {
        switch command {
        case .reset: resetCounters()
        case .hold(let value): machine.hold(forValue: value)
        case .release(let count): release(machine.release(count: count))
        case .settings(let settings, let certificate):
            if let certificate { try setCertificate(certificate) }
            for setting in settings { apply(setting) }
        default: break  // What asks for something has been answered; a refusal follows its reply.
        }
    }
}
