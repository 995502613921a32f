import Crypto
import Foundation
import NIOSSL
import StandInTenant
import Testing

@Suite("HTTP, TLS and tokens", .timeLimit(.minutes(1)))
struct HTTPTests {
    @Test("A connection serves one request after another, also where they come ahead of the replies.")
    func keepAlive() async throws {
        try await withStandInTenant { tenant in
            let values: [String] = try await withConnection(to: tenant) { connection in
                let requests = ["expires-1:a", "expires-2:b", "expires-3:c"].map { request(body: mintBody($0)) }
                connection.send(requests[0] + requests[1] + requests[2])
                var replies = [
                    try await connection.reply(), try await connection.reply(), try await connection.reply(),
                ]
                connection.send(request(body: mintBody("expires-4:d")))
                replies.append(try await connection.reply())
                return replies.map { "\($0.json?["expires_in"] ?? "")" }
            }
            #expect(values == ["1", "2", "3", "4"])
            #expect(await tenant.counters.connections == 1)
            #expect(await tenant.counters.peakConcurrency == 1)
        }
    }

    @Test("A client that asks for it finds the connection closed after its reply.")
    func connectionClose() async throws {
        try await withStandInTenant { tenant in
            try await withConnection(to: tenant) { connection in
                let fields: KeyValuePairs<String, String> = [
                    "host": "x", "content-type": "application/json", "accept": "application/json", "user-agent": "t",
                    "connection": "close",
                ]
                connection.send(request(fields: fields, body: mintBody("alice")))
                let reply = try await connection.reply()
                #expect(reply.fields["connection"] == "close")
                #expect(try await connection.ending() == .closed)
            }
            #expect(await tenant.violations == [])
        }
    }

    @Test("HTTPS works with the authority's certificate and fails without it.")
    func tls() async throws {
        try await withStandInTenant(.init(tls: .valid)) { tenant in
            #expect(tenant.baseURL.hasPrefix("https://"))
            #expect(try await mint(tenant, "alice", trusting: tenant.certificateAuthorityPEM).status == 200)
            let stranger = try await StandInTenant.start()
            try await stranger.stop()
            await #expect(throws: NIOSSLError.self) {
                try await mint(tenant, "alice", trusting: stranger.certificateAuthorityPEM)
            }
            #expect(await tenant.counters.calls == 1)
        }
    }

    @Test("An expired certificate fails, and so does one for another name; both can be had at any time.")
    func wrongCertificates() async throws {
        try await withStandInTenant(.init(tls: .expired)) { tenant in
            let authority = tenant.certificateAuthorityPEM
            await #expect(throws: NIOSSLError.self) { try await mint(tenant, "alice", trusting: authority) }
            try await tenant.setCertificate(.wrongName)
            await #expect(throws: NIOSSLExtraError.self) { try await mint(tenant, "alice", trusting: authority) }
            #expect(await tenant.counters.calls == 0)
            try await tenant.setCertificate(.valid)
            #expect(try await mint(tenant, "alice", trusting: authority).status == 200)
            await #expect(throws: StandInTenant.Fault.self) { try await tenant.setCertificate(.none) }
        }
    }

    @Test("A token is a JWT of about a KiB, signed with ES384, for the user, and none like another.")
    func tokens() async throws {
        try await withStandInTenant { tenant in
            let tokens = [token(try await mint(tenant, #"DOMAIN\ü"#)), token(try await mint(tenant, #"DOMAIN\ü"#))]
            #expect(tokens[0] != tokens[1])
            let key = try P384.Signing.PublicKey(pemRepresentation: await tenant.tokenKeyPEM)
            for token in tokens {
                #expect((1_023...1_024).contains(token.utf8.count))
                let parts = token.split(separator: ".").map(String.init)
                let signature = try P384.Signing.ECDSASignature(rawRepresentation: try base64URL(parts[2]))
                #expect(key.isValidSignature(signature, for: Data("\(parts[0]).\(parts[1])".utf8)))
                let header = try JSONValue(json: Array(base64URL(parts[0])))
                #expect(header["alg"]?.text == "ES384")
                let claims = try claims(of: token)
                #expect(claims["sub"]?.text == #"DOMAIN\ü"#)
                #expect((claims["exp"]?.integer ?? 0) - (claims["iat"]?.integer ?? 0) == 21_600)
            }
        }
    }

    @Test("A live token opens the API until it is revoked, by a client or by the tenant.")
    func revocation() async throws {
        try await withStandInTenant { tenant in
            let first = token(try await mint(tenant, "alice"))
            let second = token(try await mint(tenant, "alice"))
            #expect(try await currentUser(tenant, first) == 200)
            let reply = try await call(tenant, request("POST", "/oauth/revoke", body: revocationBody(first)))
            #expect(reply.status == 200 && reply.body.isEmpty)
            #expect(try await currentUser(tenant, first) == 401)
            #expect(try await currentUser(tenant, second) == 200)
            #expect(await tenant.revoke(second))
            #expect(await !tenant.revoke(second))
            #expect(try await currentUser(tenant, second) == 401)
            #expect(try await currentUser(tenant, "unknown") == 401)
            let unknown = try await call(tenant, request("POST", "/oauth/revoke", body: revocationBody("unknown")))
            #expect(unknown.status == 400)
            #expect(await tenant.counters.revocations == 2)
            #expect(await tenant.violations == [])
        }
    }

    @Test("A revocation can be made to fail, for one token or for all.")
    func failingRevocation() async throws {
        try await withStandInTenant { tenant in
            let stubborn = token(try await mint(tenant, "revoke-fails-500:alice"))
            #expect(
                try await call(tenant, request("POST", "/oauth/revoke", body: revocationBody(stubborn))).status == 500
            )
            #expect(await tenant.isLive(stubborn))
            let other = token(try await mint(tenant, "bob"))
            try await tenant.setRevocationBehaviour("status-503/ok")
            let statuses = [
                try await call(tenant, request("POST", "/oauth/revoke", body: revocationBody(other))).status,
                try await call(tenant, request("POST", "/oauth/revoke", body: revocationBody(other))).status,
            ]
            #expect(statuses == [503, 200])
            #expect(await !tenant.isLive(other))
        }
    }

    @Test("A token that has run out opens nothing.")
    func expiredToken() async throws {
        try await withStandInTenant { tenant in
            let expired = token(try await mint(tenant, "expired:alice"))
            #expect(try await currentUser(tenant, expired) == 401)
            await tenant.setLifetime(.seconds(20))
            let reply = try await mint(tenant, "alice")
            #expect(reply.json?["expires_in"] as? Int == 20)
            #expect(try await currentUser(tenant, token(reply)) == 200)
        }
    }

    private func currentUser(_ tenant: StandInTenant, _ token: String) async throws -> Int {
        let fields: KeyValuePairs<String, String> = ["host": "x", "authorization": "Bearer \(token)"]
        return try await call(tenant, request("GET", "/api/v1/users/me", fields: fields)).status
    }
}
