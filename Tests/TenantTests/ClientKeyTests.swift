import Crypto
import CryptoExtras
import Foundation
import NIOPosix
import Secrets
import StandInTenant
import Tenant
import Testing
import TokenCache
import TokenProtocol

@Suite("A client that authenticates with a key")
struct ClientKeyTests {
    /// A private key in an operator's form, and the public half in the tenant's.
    private struct Pair {
        var secret: String
        var open: String

        static func p384() -> Pair {
            let key = P384.Signing.PrivateKey()
            return Pair(secret: key.pemRepresentation, open: key.publicKey.pemRepresentation)
        }

        static func rsa() throws -> Pair {
            let key = try _RSA.Signing.PrivateKey(keySize: .bits2048)
            return Pair(secret: key.pemRepresentation, open: key.publicKey.pemRepresentation)
        }
    }

    private static let ann = UserLookup(field: .subject, value: "ann")

    private func mint(
        _ tenant: StandInTenant,
        _ credential: ClientCredential,
        times: Int = 1
    ) async throws -> [MintOutcome] {
        let settings = TenantSettings(
            origin: tenant.baseURL,
            clientID: tenant.clientID,
            timeout: .seconds(30),
            userAgent: "tokencached/test"
        )
        let client = try TenantClient(settings, on: MultiThreadedEventLoopGroup.singleton)
        let scopes = try #require(ScopeSet("user_default"))
        var outcomes: [MintOutcome] = []
        for _ in 0..<times { outcomes.append(await client.mint(Self.ann, scopes: scopes, as: credential)) }
        client.shutdown()
        return outcomes
    }

    @Test("Each call has a new assertion, by ES384 or RS256, that the tenant accepts.", arguments: [false, true])
    func accepted(isRSA: Bool) async throws {
        let pair = isRSA ? try Pair.rsa() : Pair.p384()
        var configuration = StandInTenant.Configuration()
        configuration.clientKeys = [Pair.p384().open, pair.open]
        let tenant = try await StandInTenant.start(configuration)
        let outcomes = try await mint(tenant, .key(try ClientKey(ClientSecret(pair.secret), id: nil)), times: 3)
        #expect(outcomes.allSatisfy { $0.isMinted }, "\(outcomes)")
        #expect(await tenant.violations.isEmpty)
        try await tenant.stop()
    }

    @Test("An RSA key also signs by RS512, and the tenant accepts that.")
    func algorithm() async throws {
        let pair = try Pair.rsa()
        var configuration = StandInTenant.Configuration()
        configuration.clientKeys = [pair.open]
        let tenant = try await StandInTenant.start(configuration)
        let key = try ClientKey(ClientSecret(pair.secret), id: nil, algorithm: .rs512)
        #expect(key.algorithm == .rs512)
        #expect(try key != ClientKey(ClientSecret(pair.secret), id: nil))
        #expect(try await mint(tenant, .key(key))[0].isMinted)
        #expect(await tenant.violations.isEmpty)
        try await tenant.stop()
    }

    @Test("An algorithm that the key can't sign with is a fault that names both.")
    func wrongAlgorithm() throws {
        let (curve, rsa) = (Pair.p384(), try Pair.rsa())
        for (pair, algorithm) in [(curve, ClientKey.Algorithm.rs256), (curve, .rs512), (rsa, .es384)] {
            let fault = #expect(throws: ClientKey.Fault.self) {
                try ClientKey(ClientSecret(pair.secret), id: nil, algorithm: algorithm)
            }
            #expect(fault?.description.contains("can't sign with \(algorithm.rawValue)") == true)
        }
        #expect(try ClientKey(ClientSecret(curve.secret), id: nil).algorithm == .es384)
        #expect(try ClientKey(ClientSecret(rsa.secret), id: nil).algorithm == .rs256)
    }

    @Test("A key that the tenant doesn't know is denied like a wrong secret.")
    func denied() async throws {
        var configuration = StandInTenant.Configuration()
        configuration.clientKeys = [Pair.p384().open]
        let tenant = try await StandInTenant.start(configuration)
        let outcome = try await mint(tenant, .key(try ClientKey(ClientSecret(Pair.p384().secret), id: "k")))[0]
        #expect(outcome.upstream?.status == 401, "\(outcome)")
        #expect(await tenant.violations.isEmpty)
        try await tenant.stop()
    }

    @Test("A key's id is its thumbprint, the same each time, unless an id is given.")
    func ids() throws {
        let pair = Pair.p384()
        let key = try ClientKey(ClientSecret(pair.secret), id: nil)
        #expect(key.id.utf8.count == 43)
        #expect(try key == ClientKey(ClientSecret(pair.secret), id: nil))
        #expect(try key.id != ClientKey(ClientSecret(Pair.p384().secret), id: nil).id)
        #expect(try key != ClientKey(ClientSecret(pair.secret), id: "2026-11"))
        #expect(try ClientKey(ClientSecret(pair.secret), id: "2026-11").id == "2026-11")
    }

    @Test("A thumbprint is the SHA-256 of the public key's members in the order of their names, and nothing else.")
    func thumbprint() throws {
        func url(_ bytes: some Sequence<UInt8>) -> String {
            let text = Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
            return text.replacing("=", with: "")
        }
        let curve = P384.Signing.PrivateKey()
        let point = Data(curve.publicKey.x963Representation.dropFirst())
        let members = #"{"crv":"P-384","kty":"EC","x":"\#(url(point.prefix(48)))","y":"\#(url(point.suffix(48)))"}"#
        let key = try ClientKey(ClientSecret(curve.pemRepresentation), id: nil)
        #expect(key.id == url(SHA256.hash(data: Data(members.utf8))))
        let rsa = try _RSA.Signing.PrivateKey(keySize: .bits2048)
        let numbers = try rsa.publicKey.getKeyPrimitives()
        let rsaMembers = #"{"e":"AQAB","kty":"RSA","n":"\#(url(numbers.modulus))"}"#
        let rsaKey = try ClientKey(ClientSecret(rsa.pemRepresentation), id: nil)
        #expect(rsaKey.id == url(SHA256.hash(data: Data(rsaMembers.utf8))))
    }

    @Test("A text without a usable key is rejected, and nothing of it is shown.")
    func wrong() throws {
        let small = """
            -----BEGIN PRIVATE KEY-----
            \(try _RSA.Signing.PrivateKey(unsafeKeySize: .init(bitCount: 1_024)).derRepresentation.base64EncodedString())
            -----END PRIVATE KEY-----
            """
        let other = P256.Signing.PrivateKey().pemRepresentation
        for text in [
            "hunter2", Pair.p384().open, other, small,
            "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----",
        ] {
            let fault = #expect(throws: ClientKey.Fault.self) { try ClientKey(ClientSecret(text), id: nil) }
            #expect(fault.map { $0.description.contains("hunter2") } == false)
        }
    }

    @Test("A key is redacted, however it is printed.")
    func redaction() throws {
        let pair = Pair.p384()
        let credential = ClientCredential.key(try ClientKey(ClientSecret(pair.secret), id: "k"))
        var text = "\(credential) \(String(reflecting: credential))"
        dump(credential, to: &text)
        let body = pair.secret.split(separator: "\n").dropFirst().dropLast()
        #expect(body.allSatisfy { !text.contains($0) })
    }
}
