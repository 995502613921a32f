import NIOHTTP1

/// Checks a request against the contract, and collects every rule that it breaks.
package struct RequestInspector: Sendable {
    let request: IncomingRequest
    private static let userGrant = "urn:qlik:oauth:user-impersonation"
    private static let clientGrant = "client_credentials"

    /// The broken rules, one sentence each.
    package internal(set) var violations: [String] = []

    /// An inspector of a request to a known endpoint.
    package init(_ request: IncomingRequest) { self.request = request }

    /// Reads a request for a token, as far as that is possible.
    package mutating func mintRequest() -> MintRequest? {
        inspectHead()
        guard let body = readBody() else { return nil }
        let isAsserted = body["client_assertion"] != nil || body["client_assertion_type"] != nil
        let client = isAsserted ? ["client_assertion", "client_assertion_type"] : ["client_id", "client_secret"]
        let isOwn = body["grant_type"]?.text == Self.clientGrant
        let user = isOwn ? [] : ["user_lookup"]
        expectMembers(of: body, "the body", client + ["grant_type"] + user, or: ["scope"])
        if !isOwn { expect(body, "grant_type", toBe: Self.userGrant) }
        let proof = isAsserted ? readAssertion(body) : readSecret(body)
        let scope = readScope(body)
        guard let proof, let id = clientID(proof), let (field, value) = isOwn ? (.client, id) : readLookup(body) else {
            return nil
        }
        return MintRequest(proof: proof, key: .init(field: field, value: value, scope: scope), clientID: id)
    }

    /// Reads the token of a request for a revocation.
    package mutating func revokedToken() -> String? {
        inspectHead()
        guard let body = readBody() else { return nil }
        expectMembers(of: body, "the body", ["token", "token_type_hint"])
        expect(body, "token_type_hint", toBe: "access_token")
        return string(body, "token")
    }
}

extension RequestInspector {
    private mutating func inspectHead() {
        let method = request.head.method
        if method != .POST { violations.append("the method is \(method.rawValue)") }
        expectJSON("content-type")
        expectFields(forbidden: ["authorization", "cookie", "expect"])
    }

    /// Checks a field that must have the type of JSON.
    mutating func expectJSON(_ name: String) {
        let values = request.head.headers[name]
        if values != ["application/json"] { violations.append("\(name) is \(values) instead of “application/json”") }
    }

    /// Checks the fields that every request has, and those that it must not have.
    mutating func expectFields(forbidden: [String]) {
        let headers = request.head.headers
        expectJSON("accept")
        for name in ["user-agent", "host"] where headers[name].count != 1 || headers[name] == [""] {
            violations.append("there is not exactly one \(name), or it is empty")
        }
        for name in forbidden where headers.contains(name: name) { violations.append("there is a field \(name)") }
        inspectTrace(headers["traceparent"])
    }

    /// Checks the place in a distributed trace, which may be left out: one `traceparent` of W3C Trace Context, level 1.
    private mutating func inspectTrace(_ values: [String]) {
        guard let value = values.first else { return }
        if values.count > 1 { violations.append("there are \(values.count) of traceparent") }
        let fields = value.split(separator: "-", omittingEmptySubsequences: false)
        let isDigit = { (byte: UInt8) in (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) }
        let hasForm = fields.map(\.utf8.count) == [2, 32, 16, 2] && fields.allSatisfy { $0.utf8.allSatisfy(isDigit) }
        let isZero = { (field: Substring) in field.utf8.allSatisfy { $0 == 0x30 } }
        let isKnown = hasForm && fields[0] == "00" && ["00", "01"].contains(fields[3])
        if !isKnown || isZero(fields[1]) || isZero(fields[2]) { violations.append("traceparent is “\(value)”") }
    }

    mutating func readBody() -> JSONValue? {
        do {
            guard !request.isTooLong else { throw StandInTenant.Fault("the body is too long") }
            return try JSONValue(json: request.body)
        } catch {
            violations.append("\(error)")
            return nil
        }
    }

    mutating func expectMembers(
        of value: JSONValue,
        _ name: String,
        _ required: [String],
        or others: [String] = []
    ) {
        guard case .object(let members) = value else { return violations.append("\(name) is no object") }
        for missing in required where members[missing] == nil { violations.append("\(name) lacks \(missing)") }
        for extra in members.keys.sorted() where !others.contains(extra) && !required.contains(extra) {
            violations.append("\(name) has \(extra)")
        }
    }

    /// Reads a member that must be a string and not empty, unless it is missing and has been reported.
    mutating func string(_ value: JSONValue, _ name: String) -> String? {
        guard let member = value[name] else { return nil }
        if let text = member.text, !text.isEmpty { return text }
        violations.append("\(name) is no string, or an empty one")
        return nil
    }

    private mutating func expect(_ body: JSONValue, _ name: String, toBe expected: String) {
        guard let text = string(body, name), text != expected else { return }
        violations.append("\(name) is “\(text)”")
    }

    private mutating func readSecret(_ body: JSONValue) -> MintRequest.Proof? {
        let (id, secret) = (string(body, "client_id"), string(body, "client_secret"))
        guard let id, let secret else { return nil }
        return .secret(id: id, secret)
    }

    /// Reads a client's assertion (RFC 7523, section 2.2).
    private mutating func readAssertion(_ body: JSONValue) -> MintRequest.Proof? {
        expect(body, "client_assertion_type", toBe: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
        return string(body, "client_assertion").map { .assertion($0) }
    }

    /// The client that a proof names.
    private mutating func clientID(_ proof: MintRequest.Proof) -> String? {
        switch proof {
        case .secret(let id, _): return id
        case .assertion(let assertion):
            let id = ClientKeys.issuer(of: assertion)
            if id == nil { violations.append("the assertion is no JWS in compact form, or names no client") }
            return id
        }
    }

    private mutating func readLookup(_ body: JSONValue) -> (StandInTenant.LookupField, String)? {
        guard let lookup = body["user_lookup"] else { return nil }
        expectMembers(of: lookup, "user_lookup", ["field", "value"])
        guard let name = string(lookup, "field"), let value = string(lookup, "value") else { return nil }
        if let field = StandInTenant.LookupField(rawValue: name), field != .client { return (field, value) }
        violations.append("user_lookup.field is “\(name)”")
        return nil
    }

    /// Reads `scope`: scope tokens with one space between them (RFC 6749, section 3.3), none of them twice.
    private mutating func readScope(_ body: JSONValue) -> String? {
        guard let scope = string(body, "scope") else { return nil }
        let tokens = scope.split(separator: " ", omittingEmptySubsequences: false)
        let isAllowed = { (byte: UInt8) in (0x21...0x7E).contains(byte) && byte != 0x22 && byte != 0x5C }
        if tokens.contains(where: { token in token.isEmpty || !token.utf8.allSatisfy(isAllowed) }) {
            violations.append("scope is “\(scope)”")
        }
        if Set(tokens).count != tokens.count { violations.append("scope names a scope twice") }
        return scope
    }
}
