import Foundation
import StandInTenant
import Testing

/// The bytes of a request.
func request(
    _ method: String = "POST",
    _ path: String = "/oauth/token",
    fields: KeyValuePairs<String, String> = standardFields,
    body: String = ""
) -> [UInt8] {
    let lines = fields.map { "\($0.key): \($0.value)\r\n" }.joined()
    let length = "content-length: \(body.utf8.count)\r\n"
    return Array("\(method) \(path) HTTP/1.1\r\n\(lines)\(length)\r\n\(body)".utf8)
}

/// The header fields that the contract asks for.
let standardFields: KeyValuePairs<String, String> = [
    "host": "127.0.0.1", "content-type": "application/json", "accept": "application/json", "user-agent": "test/1",
]

/// The body of a request for a token.
func mintBody(
    _ value: String,
    field: String = "subject",
    scope: String? = "user_default",
    clientID: String = "standin-client",
    secret: String = "standin-secret"
) -> String {
    var members: [String: Any] = [
        "client_id": clientID, "client_secret": secret, "grant_type": "urn:qlik:oauth:user-impersonation",
        "user_lookup": ["field": field, "value": value],
    ]
    members["scope"] = scope
    return json(members)
}

/// The body of a request for a revocation.
func revocationBody(_ token: String) -> String {
    json(["token": token, "token_type_hint": "access_token"])
}

private func json(_ object: [String: Any]) -> String {
    String(decoding: (try? JSONSerialization.data(withJSONObject: object)) ?? Data(), as: UTF8.self)
}

/// Asks a stand-in for a token over a connection of its own.
func mint(
    _ tenant: StandInTenant,
    _ value: String,
    secret: String = "standin-secret",
    trusting authority: String? = nil
) async throws -> RawReply {
    try await call(tenant, request(body: mintBody(value, secret: secret)), trusting: authority)
}

/// Sends a request over a connection of its own, and receives the reply.
func call(_ tenant: StandInTenant, _ bytes: [UInt8], trusting authority: String? = nil) async throws -> RawReply {
    try await withConnection(to: tenant, trusting: authority) { connection in
        connection.send(bytes)
        return try await connection.reply()
    }
}

/// Sends a control request.
@discardableResult
func control(_ tenant: StandInTenant, _ path: String, _ body: String? = nil) async throws -> RawReply {
    let bytes = request(body == nil ? "GET" : "POST", "/_control/" + path, fields: ["host": "x"], body: body ?? "")
    return try await call(tenant, bytes)
}

/// The access token of a reply.
func token(_ reply: RawReply) -> String {
    reply.json?["access_token"] as? String ?? ""
}

/// The bytes behind base64url (RFC 4648, section 5).
func base64URL(_ text: String) throws -> Data {
    let padding = String(repeating: "=", count: (4 - text.count % 4) % 4)
    return try #require(Data(base64Encoded: text.replacing("-", with: "+").replacing("_", with: "/") + padding))
}

/// The claims of a token.
func claims(of token: String) throws -> JSONValue {
    let parts = token.split(separator: ".").map(String.init)
    try #require(parts.count == 3)
    return try JSONValue(json: Array(base64URL(parts[1])))
}

extension JSONValue {
    /// The elements of an array.
    var elements: [JSONValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }
}

/// The body of a request for a client's own token.
func clientBody(_ id: String, secret: String, scope: String? = nil) -> String {
    var members: [String: Any] = ["client_id": id, "client_secret": secret, "grant_type": "client_credentials"]
    members["scope"] = scope
    return json(members)
}

/// The access token of a client.
func clientToken(_ tenant: StandInTenant, _ id: String = "users", scope: String? = nil) async throws -> String {
    token(try await call(tenant, request(body: clientBody(id, secret: id + "-secret", scope: scope))))
}

/// Calls the API with a bearer token.
func api(
    _ tenant: StandInTenant,
    _ method: String,
    _ path: String,
    _ body: String? = nil,
    bearer: String
) async throws -> RawReply {
    try await call(tenant, apiRequest(method, path, body, bearer: bearer))
}

/// The bytes of a call of the API.
func apiRequest(_ method: String, _ path: String, _ body: String? = nil, bearer: String) -> [UInt8] {
    let type = body == nil ? "" : "content-type: application/json\r\ncontent-length: \(body?.utf8.count ?? 0)\r\n"
    let fields =
        "host: 127.0.0.1\r\naccept: application/json\r\nuser-agent: test/1\r\nauthorization: Bearer \(bearer)\r\n"
    return Array("\(method) /api/v1/\(path) HTTP/1.1\r\n\(fields)\(type)\r\n\(body ?? "")".utf8)
}

/// A text with every byte percent-encoded that is not unreserved.
func encoded(_ text: String) -> String {
    text.addingPercentEncoding(
        withAllowedCharacters: .alphanumerics.intersection(CharacterSet(charactersIn: "\u{21}"..."\u{7E}"))
    ) ?? ""
}

/// The configuration of a tenant with two further clients: `users`, which manages users, and `backend`.
func withClients(_ users: StandInTenant.Users = .lax) -> StandInTenant.Configuration {
    var configuration = StandInTenant.Configuration()
    configuration.clients = [
        .init(id: "users", secrets: ["users-secret"], scopes: ["admin.users", "user_default"]),
        .init(id: "admin", secrets: ["admin-secret"], scopes: ["admin_classic", "user_default"]),
        .init(id: "backend", secrets: ["backend-secret"], scopes: ["user_default", "apps:read"]),
    ]
    configuration.users = users
    return configuration
}

extension RawReply {
    /// The elements of a list.
    var data: [[String: Any]] { json?["data"] as? [[String: Any]] ?? [] }

    /// The path and query of the link to the next page, without `/api/v1/`.
    var next: String? {
        let link = (json?["links"] as? [String: Any])?["next"] as? [String: String]
        return link?["href"]?.components(separatedBy: "/api/v1/").last
    }
}

/// Sends a request over a connection of its own, and returns how the stand-in ends that.
func ending(_ tenant: StandInTenant, _ bytes: [UInt8]) async throws -> RawConnection.Ending {
    try await withConnection(to: tenant) { connection in
        connection.send(bytes)
        return try await connection.ending()
    }
}
