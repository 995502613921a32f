import NIOHTTP1

extension RequestInspector {
    /// Reads a request of the API, as far as that is possible.
    mutating func apiRequest(_ target: APITarget) -> APIRequest? {
        inspectAPIHead(hasBody: target.operation == .createUser || target.operation == .changeUser)
        do {
            return try read(target)
        } catch {
            violations.append("\(error)")
            return nil
        }
    }

    /// Reads what the operation needs.
    ///
    /// It isn't called for the present user, who needs nothing.
    private mutating func read(_ target: APITarget) throws(StandInTenant.Fault) -> APIRequest? {
        switch target.operation {
        case .listUsers:
            let parameters = try QueryText.parameters(target.query, allowed: ["filter", "limit", "next"])
            let page = try PageRequest(parameters, cursor: "next", of: APITarget.prefix + "users")
            return .listUsers(try parameters["filter"].map(UserFilter.init(parsing:)), page)
        case .listGroups:
            let parameters = try QueryText.parameters(target.query, allowed: ["limit", "next"])
            return .listGroups(try PageRequest(parameters, cursor: "next", of: APITarget.prefix + "groups"))
        case .listTokens: return try readTokenList(target.query)
        case .createUser:
            try expectNoQuery(target)
            return readBody().flatMap { body in newUser(body) }.map { user in .createUser(user) }
        case .changeUser:
            try expectNoQuery(target)
            guard let body = readBody() else { return nil }
            return .changeUser(id: target.id, try UserPatch(body))
        case .readUser, .deleteToken:
            try expectNoQuery(target)
            return target.operation == .readUser ? .readUser(id: target.id) : .deleteToken(id: target.id)
        case .currentUser: return nil
        }
    }

    private func readTokenList(_ query: String) throws(StandInTenant.Fault) -> APIRequest {
        let parameters = try QueryText.parameters(query, allowed: ["userId", "limit", "page", "sort"])
        // Without a user the list has everyone's tokens, and a client that deletes them all logs everyone out.
        guard let id = parameters["userId"] else { throw StandInTenant.Fault("the query lacks userId") }
        guard ["userId", nil].contains(parameters["sort"]) else { throw StandInTenant.Fault("sort is not userId") }
        return .listTokens(
            userID: id,
            try PageRequest(parameters, cursor: "page", of: APITarget.prefix + "oauth-tokens")
        )
    }

    private func expectNoQuery(_ target: APITarget) throws(StandInTenant.Fault) {
        if !target.query.isEmpty { throw StandInTenant.Fault("there is a query") }
    }

    private mutating func newUser(_ body: JSONValue) -> NewUser? {
        expectMembers(of: body, "the body", ["subject"], or: ["name", "email", "status"])
        let (name, email, status) = (string(body, "name"), string(body, "email"), string(body, "status"))
        if let status, !["active", "invited"].contains(status) { violations.append("status is “\(status)”") }
        return string(body, "subject").map { subject in
            NewUser(subject: subject, name: name, email: email, isInvited: status == "invited")
        }
    }

    private mutating func inspectAPIHead(hasBody: Bool) {
        expectFields(forbidden: ["cookie", "expect"] + (hasBody ? [] : ["content-type"]))
        if hasBody { expectJSON("content-type") } else if !request.body.isEmpty { violations.append("there is a body") }
        let count = request.head.headers["authorization"].count
        if count > 1 { violations.append("there are \(count) of authorization") }
    }
}
