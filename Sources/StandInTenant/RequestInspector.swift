/// Holds a request against the contract, and names every rule that it breaks.
package struct RequestInspector: Sendable {
    /// The grant of the contract.
    static let grantType = "urn:qlik:oauth:user-impersonation"

    private let request: IncomingRequest
    /// The rules that are broken, one sentence each.
    package private(set) var violations: [String] = []

    /// Inspects a request, which has come to a known endpoint.
    package init(_ request: IncomingRequest) {
        self.request = request
    }

    /// The request for a token; where there are violations, what of it could be read.
    package mutating func mintRequest() -> MintRequest? {
        inspectHead()
        guard let body = readBody() else { return nil }
        let isAsserted = body["client_assertion"] != nil || body["client_assertion_type"] != nil
        let client = isAsserted ? ["client_assertion", "client_assertion_type"] : ["client_id", "client_secret"]
        expectMembers(of: body, named: "the body", Set(client + ["grant_type", "user_lookup"]), ["scope"])
        let proof = isAsserted ? readAssertion(body) : readSecret(body)
        if let grantType = string(body, "grant_type"), grantType != Self.grantType {
            violations.append("grant_type is “\(grantType)”")
        }
        let scope = readScope(body)
        guard let lookup = readLookup(body), let proof else { return nil }
        let key = StandInTenant.MintKey(field: lookup.field, value: lookup.value, scope: scope)
        return MintRequest(proof: proof, key: key)
    }

    /// The token that a request for a revocation names.
    package mutating func revokedToken() -> String? {
        inspectHead()
        guard let body = readBody() else { return nil }
        expectMembers(of: body, named: "the body", ["token", "token_type_hint"])
        if let hint = string(body, "token_type_hint"), hint != "access_token" {
            violations.append("token_type_hint is “\(hint)”")
        }
        return string(body, "token")
    }
}

extension RequestInspector {
    private mutating func inspectHead() {
        if request.method != "POST" { violations.append("the method is \(request.method)") }
        expect("content-type", toBe: "application/json")
        expect("accept", toBe: "application/json")
        for name in ["user-agent", "host"] where !isPresent(name) {
            violations.append("there is not exactly one \(name), or it is empty")
        }
        for name in ["authorization", "cookie", "expect"] where !request.values(name).isEmpty {
            violations.append("there is a field \(name)")
        }
    }

    private mutating func expect(_ name: String, toBe value: String) {
        let values = request.values(name)
        guard values != [value] else { return }
        violations.append("\(name) is “\(values.joined(separator: "”, “"))” instead of “\(value)”")
    }

    private func isPresent(_ name: String) -> Bool {
        let values = request.values(name)
        return values.count == 1 && values.allSatisfy { !$0.isEmpty }
    }

    private mutating func readSecret(_ body: JSONValue) -> MintRequest.Proof? {
        let (id, secret) = (string(body, "client_id"), string(body, "client_secret"))
        guard let id, let secret else { return nil }
        return .secret(id: id, secret)
    }

    /// RFC 7523, section 2.2.
    private mutating func readAssertion(_ body: JSONValue) -> MintRequest.Proof? {
        let type = string(body, "client_assertion_type")
        if let type, type != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
            violations.append("client_assertion_type is “\(type)”")
        }
        return string(body, "client_assertion").map { .assertion($0) }
    }

    private mutating func readBody() -> JSONValue? {
        guard !request.isTooLong else {
            violations.append("the body is too long")
            return nil
        }
        do {
            return try JSONReader.value(of: request.body)
        } catch {
            violations.append(error.sentence)
            return nil
        }
    }

    private mutating func expectMembers(
        of value: JSONValue,
        named name: String,
        _ required: Set<String>,
        _ optional: Set<String> = []
    ) {
        guard case .object(let members) = value else {
            violations.append("\(name) is no object")
            return
        }
        let names = Set(members.map(\.name))
        for missing in required.subtracting(names).sorted() { violations.append("\(name) lacks \(missing)") }
        for extra in names.subtracting(required).subtracting(optional).sorted() {
            violations.append("\(name) has \(extra)")
        }
    }

    /// A member that must be a string with something in it; one that is missing has been reported already.
    private mutating func string(_ value: JSONValue, _ name: String) -> String? {
        guard let member = value[name] else { return nil }
        guard let text = member.text, !text.isEmpty else {
            violations.append("\(name) is no string, or an empty one")
            return nil
        }
        return text
    }

    private mutating func readLookup(_ body: JSONValue) -> (field: StandInTenant.LookupField, value: String)? {
        guard let lookup = body["user_lookup"] else { return nil }
        expectMembers(of: lookup, named: "user_lookup", ["field", "value"])
        guard let name = string(lookup, "field"), let value = string(lookup, "value") else { return nil }
        guard let field = StandInTenant.LookupField(rawValue: name) else {
            violations.append("user_lookup.field is “\(name)”")
            return nil
        }
        return (field, value)
    }

    /// The text of `scope`: scope tokens with one space between them (RFC 6749, section 3.3), none of them twice.
    private mutating func readScope(_ body: JSONValue) -> String? {
        guard let scope = string(body, "scope") else { return nil }
        let tokens = scope.split(separator: " ", omittingEmptySubsequences: false)
        let allowed = { (byte: UInt8) in (0x21...0x7E).contains(byte) && byte != 0x22 && byte != 0x5C }
        if tokens.contains(where: { token in token.isEmpty || !token.utf8.allSatisfy(allowed) }) {
            violations.append("scope is “\(scope)”")
        }
        if Set(tokens).count != tokens.count { violations.append("scope names a scope twice") }
        return scope
    }
}
