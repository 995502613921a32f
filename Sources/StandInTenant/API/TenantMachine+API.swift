import FoundationEssentials
import NIOHTTP1

extension TenantMachine {
    private static let unauthorized = OpenCall(
        plan: .reply(.error(401, "API-401", "Unauthorized", "the access token is missing or not live")),
        text: "unauthorized"
    )

    /// Decides on a call of the API.
    ///
    /// The rate limit counts before all else, as for tokens. Broken rules are noted whatever the reply is.
    mutating func receiveAPI(_ request: IncomingRequest, _ call: Int, at now: Date) -> OpenCall {
        log.counters.tiers[.api, default: .init()].calls += 1
        let target: APITarget
        do {
            target = try APITarget(request.head.method.rawValue, request.head.uri)
        } catch {
            return rejection(["\(error)"], call, in: .api, at: now) ?? Self.invalid([])
        }
        log.counters.operations[target.operation, default: 0] += 1
        if target.operation == .currentUser { return currentUser(request, call, at: now) }
        var inspector = RequestInspector(request)
        let wanted = inspector.apiRequest(target)
        var open = rejection(inspector.violations, call, in: .api, at: now)
        if let wanted, open == nil { open = plan(for: wanted, target.operation, request, at: now) }
        open?.value = wanted?.value
        open?.operation = target.operation
        return open ?? Self.invalid([])
    }

    private mutating func plan(
        for wanted: APIRequest,
        _ operation: StandInTenant.Operation,
        _ request: IncomingRequest,
        at now: Date
    ) -> OpenCall {
        guard let bearer = bearer(of: request, at: now) else { return Self.unauthorized }
        guard bearer.allows(operation) else {
            let reply = Behaviour.error(403, "API-403", "Forbidden", "the access token lacks a scope")
            return OpenCall(plan: .reply(reply), text: "forbidden")
        }
        let play = scripts.next(for: operation)
        return OpenCall(plan: .perform(play.behaviour, wanted, bearer), text: play.text, latency: play.latency)
    }

    /// The permissions of the bearer token, if there is one that is live.
    private func bearer(of request: IncomingRequest, at now: Date) -> Bearer? {
        token(of: request, at: now).map { record in Bearer(record.key, scope: record.scope) }
    }

    /// The bearer token (RFC 6750, section 2.1), if there is one that is live.
    private func token(of request: IncomingRequest, at now: Date) -> IssuedTokens.Record? {
        let words = request.head.headers["authorization"].first?.split(separator: " ", maxSplits: 1) ?? []
        guard words.count == 2, words[0] == "Bearer", let record = tokens[String(words[1])], record.isLive(at: now)
        else { return nil }
        return record
    }

    /// Decides on a call that asks whose the bearer token is, and which breaks no rule.
    private mutating func currentUser(_ request: IncomingRequest, _ call: Int, at now: Date) -> OpenCall {
        if let rejection = rejection([], call, in: .api, at: now) { return rejection }
        guard let token = token(of: request, at: now) else { return Self.unauthorized }
        let user = users.entries(of: token.key).first { entry in entry.user.status != .deleted }
        let reply = APIReply.json(200, user.map { entry in describe(entry, for: .administrator) } ?? "{}")
        let play = scripts.next(for: .currentUser)
        return OpenCall(plan: .reply(play.behaviour.carrying(reply)), text: play.text, latency: play.latency)
    }

    /// Performs a call of the API, as far as its behaviour has it performed, and returns the reply.
    mutating func perform(_ request: APIRequest, _ behaviour: Behaviour, for bearer: Bearer, at now: Date) -> Behaviour
    {
        guard behaviour.performs else { return behaviour }
        let reply: APIReply =
            switch request {
            case .listUsers(let filter, let page): listUsers(filter, page, for: bearer, at: now)
            case .createUser(let user): createUser(user, behaviour.effect, at: now)
            case .readUser(let id): readUser(id, for: bearer)
            case .changeUser(let id, let patch): changeUser(id, patch, behaviour)
            case .listGroups(let page): listGroups(page)
            case .listTokens(let id, let page): listTokens(of: id, page, at: now)
            case .deleteToken(let id):
                tokens.revoke(id: id, at: now) ? .empty(204) : .missing("there is no token \(id)")
            }
        return behaviour.carrying(reply)
    }
}
