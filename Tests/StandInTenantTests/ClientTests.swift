import Crypto
import CryptoExtras
import Foundation
import StandInTenant
import Testing

@Suite("Clients' own tokens", .timeLimit(.minutes(1)))
struct ClientTests {
    @Test("A client gets a token of its own in the usual form, with all of its scopes if it asks for none.")
    func ownToken() async throws {
        try await withStandInTenant(withClients()) { tenant in
            let body = clientBody("backend", secret: "backend-secret")
            let reply = try await call(tenant, request(body: body))
            #expect(reply.status == 200)
            #expect(reply.json?["scope"] as? String == "user_default apps:read")
            #expect(reply.json?["expires_in"] as? Int == 21_600)
            let claims = try claims(of: token(reply))
            #expect(claims["sub"]?.text == "backend" && claims["subType"]?.text == "externalClient")
            let narrow = try await call(
                tenant,
                request(body: clientBody("backend", secret: "backend-secret", scope: "apps:read"))
            )
            #expect(narrow.json?["scope"] as? String == "apps:read")
            #expect(await tenant.mintCount(field: .client, value: "backend") == 2)
            #expect(await tenant.callCount(field: .client, value: "backend", scope: "apps:read") == 1)
            #expect(await tenant.violations == [])
        }
    }

    @Test("The client that impersonates gets tokens of its own, too.")
    func mainClient() async throws {
        try await withStandInTenant { tenant in
            let reply = try await call(tenant, request(body: clientBody("standin-client", secret: "standin-secret")))
            #expect(reply.json?["scope"] as? String == "user_default admin_classic")
        }
    }

    @Test(
        "A wrong secret, an unknown client, a scope beyond the client's own and a user's token are refused, and break no rule.",
        arguments: [
            (clientBody("backend", secret: "users-secret"), 401, "OAUTH-11"),
            (clientBody("backend", secret: "standin-secret"), 401, "OAUTH-11"),
            (clientBody("standin-client", secret: "backend-secret"), 401, "OAUTH-11"),
            (clientBody("nobody", secret: "backend-secret"), 401, "OAUTH-11"),
            (clientBody("backend", secret: "backend-secret", scope: "admin.users"), 400, "OAUTH-15"),
            (clientBody("backend", secret: "backend-secret", scope: "user_default admin.users"), 400, "OAUTH-15"),
            (mintBody("alice", clientID: "backend", secret: "backend-secret"), 400, "OAUTH-13"),
        ]
    )
    func refusals(_ body: String, _ status: Int, _ code: String) async throws {
        try await withStandInTenant(withClients()) { tenant in
            let reply = try await call(tenant, request(body: body))
            #expect(reply.status == status && reply.tenantError?["code"] == code)
            #expect(await tenant.violations == [])
            #expect(await tenant.counters.refusedClients == 1)
            #expect(await tenant.counters.mints == 0)
        }
    }

    @Test("A request for a client's token that names a user breaks a rule.")
    func lookup() async throws {
        try await withStandInTenant(withClients()) { tenant in
            let body = mintBody("alice", clientID: "backend", secret: "backend-secret")
                .replacing("urn:qlik:oauth:user-impersonation", with: "client_credentials")
            let named = try await call(tenant, request(body: body)).status
            let field = mintBody("alice", field: "client")
            let listed = try await call(tenant, request(body: field)).status
            #expect(named == 400)
            #expect(listed == 400)
            #expect(await tenant.violations.count == 2)
        }
    }

    @Test("A client may impersonate, too, if it is set to.")
    func impersonation() async throws {
        try await withStandInTenant { tenant in
            try await tenant.setClients([.init(id: "both", secrets: ["s"], scopes: ["x"], impersonates: true)])
            #expect(
                try await call(tenant, request(body: mintBody("alice", clientID: "both", secret: "s"))).status == 200
            )
        }
    }

    @Test("A client proves itself with a key by ES384, RS256 or RS512.", arguments: ["ES384", "RS256", "RS512"])
    func assertion(_ algorithm: String) async throws {
        let (elliptic, rsa) = (P384.Signing.PrivateKey(), try _RSA.Signing.PrivateKey(keySize: .bits2048))
        try await withStandInTenant { tenant in
            let keys = [elliptic.publicKey.pemRepresentation, rsa.publicKey.pemRepresentation]
            try await tenant.setClients([.init(id: "keyed", keys: keys, scopes: ["user_default"])])
            let sign: (Data) throws -> Data = { text in
                switch algorithm {
                case "ES384": try elliptic.signature(for: text).rawRepresentation
                case "RS256":
                    try rsa.signature(for: SHA256.hash(data: text), padding: .insecurePKCS1v1_5).rawRepresentation
                default: try rsa.signature(for: SHA512.hash(data: text), padding: .insecurePKCS1v1_5).rawRepresentation
                }
            }
            let right = try Self.body(tenant, algorithm, id: "keyed", sign)
            let reply = try await call(tenant, request(body: right))
            #expect(reply.status == 200 && reply.json?["scope"] as? String == "user_default")
            #expect(try await call(tenant, request(body: right)).status == 400)  // It was used before.
            let other = try Self.body(tenant, algorithm == "RS256" ? "RS512" : "RS256", id: "keyed", sign)
            #expect(try await call(tenant, request(body: other)).status == 401)
            let stranger = try Self.body(tenant, algorithm, id: "standin-client", sign)
            #expect(try await call(tenant, request(body: stranger)).status == 401)
            #expect(await tenant.mintCount(field: .client, value: "keyed") == 1)
        }
    }

    private static func body(
        _ tenant: StandInTenant,
        _ algorithm: String,
        id: String,
        _ sign: (Data) throws -> Data
    ) throws -> String {
        let now = Int(Date().timeIntervalSince1970)
        let claims: [String: Any] = [
            "iss": id, "sub": id, "aud": tenant.baseURL + "/oauth/token", "jti": UUID().uuidString, "iat": now,
            "exp": now + 60,
        ]
        let header = try JSONSerialization.data(withJSONObject: ["alg": algorithm, "kid": "k"])
        let signed = text(header) + "." + text(try JSONSerialization.data(withJSONObject: claims))
        return """
            {"client_assertion":"\(signed).\(text(try sign(Data(signed.utf8))))","grant_type":"client_credentials",\
            "client_assertion_type":"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}
            """
    }

    private static func text(_ data: Data) -> String {
        data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
