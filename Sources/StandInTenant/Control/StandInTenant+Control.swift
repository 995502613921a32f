import FoundationEssentials
import NIOHTTP1

extension StandInTenant {
    /// All control requests, for people.
    package static let controlHelp = """
        Control requests, under /_control/ of the same server; bodies are JSON objects
          GET  behaviours                     the list of behaviours
          GET  counters                       the counts, in all and by user and scope
          GET  requests                       the requests received, with statuses and broken rules
          GET  violations                     the rules that were broken; empty for a correct client
          POST reset                          forget what was counted, begin scripts anew
          POST settings                       any of: behaviour (everyone's script), behaviours ({VALUE: SCRIPT, ...}),
                                              script (for the next calls), revocation (script), latency_ms, lifetime (s),
                                              token_bytes, secrets ([...]), clients ([{"id", "secrets", "keys",
                                              "scopes", "impersonates"}, ...]: further ones), operations
                                              ({OPERATION: SCRIPT, ...}), next_links (absolute, relative, other, loop,
                                              malformed), users (lax, strict: only those that exist get a token),
                                              unknown_user_status (401), existing_user_status (409),
                                              subjects_ignore_case, listed_after_ms and usable_after_ms (of created
                                              users), rate_per_minute and burst (of /oauth/, null: none),
                                              api_rate_per_minute and api_burst (of /api/v1/)
          GET  users                          all users
          POST users                          {"subject", "name", "email", "status", "groups" ([NAME or {"name",
                                              "provider": "custom" or "idp"}, ...])}: add a user, who may exist
          POST users/change                   {"id", ...}: change what the request has
          POST settle                         let created users be listed and impersonated at once
          POST hold                           hold replies back; {"value":VALUE}: only that user's;
                                              {"operation":OPERATION}: only that operation's
          POST release                        send them; {"count":N}: only the N oldest, and hold further ones
          POST live                           {"token":TOKEN}: is it live? GET /api/v1/users/me with it says whose it is
          POST revoke                         {"token":TOKEN}: revoke it from the tenant's side
          POST refuse                         {"for_ms":MS} (1000): reset all connections and refuse new ones
        OPERATION is one of users.list, users.create, users.read, users.change, users.me, groups.list, tokens.list,
        tokens.delete.

        """

    /// Answers a control request, which passes every limit, latency and hold, and is neither counted nor listed.
    func control(_ path: String, _ request: IncomingRequest) -> [ReplyStep] {
        var reply: OutgoingReply
        var refusal: [ReplyStep] = []
        do {
            let body = request.body.isEmpty ? [:] : try JSONValue(json: request.body).asObject()
            reply = try answer("\(request.head.method.rawValue) \(path)", body)
            if path == "refuse" { refusal = [.refuse(try Self.refusal(body), closes: true)] }
        } catch {
            reply = OutgoingReply(400, json: JSONText.object(["error": JSONText.string("\(error)")]))
        }
        reply.closes = !request.head.isKeepAlive
        return [.send(reply.head + reply.body)] + refusal + (reply.closes ? [.close] : [])
    }

    private func answer(_ command: String, _ body: [String: JSONValue]) throws -> OutgoingReply {
        switch command {
        case "GET behaviours": return OutgoingReply(200, text: BehaviourTable.help)
        case "GET counters": return OutgoingReply(200, json: counters.json)
        case "GET requests": return OutgoingReply(200, json: JSONText.encoded(requests))
        case "GET violations": return OutgoingReply(200, json: JSONText.encoded(violations))
        case "POST live": return OutgoingReply(200, json: #"{"live":\#(isLive(try Self.token(body)))}"#)
        case "POST revoke": return OutgoingReply(200, json: #"{"revoked":\#(revoke(try Self.token(body)))}"#)
        case "POST reset": resetCounters()
        case "POST settings": machine = try machine.changed(by: body, at: .now)
        case "GET users": return OutgoingReply(200, json: JSONText.array(users.map(\.json)))
        case "POST users":
            let id = try addUser(User(control: .object(body)))
            return OutgoingReply(200, json: #"{"id":\#(JSONText.string(id))}"#)
        case "POST users/change":
            let (id, change) = try User.change(control: body)
            try changeUser(id) { user in try user.change(change) }
        case "POST settle": settleUsers()
        case "POST hold": try hold(body)
        case "POST release":
            release(machine.held.release(try Self.member("count", of: body)?.asInteger(in: 0...1_000_000)))
        case "POST refuse": _ = try Self.refusal(body)  // It follows the reply.
        default: throw Fault("there is no control request \(command)")
        }
        return OutgoingReply(200, json: "{}")
    }

    private func hold(_ body: [String: JSONValue]) throws {
        if let name = body["operation"], body.count == 1 {
            holdReplies(for: try name.asChoice(Operation.self))
        } else {
            holdReplies(forValue: try Self.member("value", of: body)?.asText())
        }
    }

    /// Returns the only member that a body may have.
    private static func member(_ name: String, of body: [String: JSONValue]) throws -> JSONValue? {
        if let other = body.keys.first(where: { $0 != name }) { throw Fault("there is no \(other)") }
        return body[name]
    }

    private static func token(_ body: [String: JSONValue]) throws -> String {
        guard let token = try member("token", of: body) else { throw Fault("token is missing") }
        return try token.asText()
    }

    private static func refusal(_ body: [String: JSONValue]) throws -> Duration {
        .milliseconds(try member("for_ms", of: body)?.asInteger(in: 0...86_400_000) ?? 1_000)
    }
}
