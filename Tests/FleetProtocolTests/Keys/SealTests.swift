import Secrets
import Testing

@testable import FleetProtocol

@Suite("Seals")
struct SealTests {
    private static let ann = EngineTokenID(field: 1, user: Array("ann".utf8), scopes: "user_default")
    private let token = EngineToken(token: AccessToken("secret"), scope: "user_default", lifetime: 21_600_000, id: ann)
    private let place = SealContext.token("p:v:1", fence: 7, epoch: "e")

    private func keys(_ file: String, host: String = "https://a", client: String = "c") throws -> TenantKeys {
        try TenantKeys(FleetKeys(AccessToken(file).bytes), host: host, clientID: client)
    }

    @Test("A token opens at its place.")
    func opens() throws {
        let keys = try keys(FleetKeysTests.one)
        let sealed = try #require(keys.seal(token, place))
        #expect(keys.openToken(sealed, place) == token)
        #expect(keys.openToken(sealed, place, key: 0) == token)
        #expect(keys.openToken(sealed, place, key: 1) == nil)
        #expect(sealed.firstRange(of: "secret".utf8) == nil && sealed.firstRange(of: "ann".utf8) == nil)
    }

    @Test("A token opens nowhere else.")
    func bound() throws {
        let keys = try keys(FleetKeysTests.one)
        let sealed = try #require(keys.seal(token, place))
        #expect(keys.openToken(sealed, .token("p:v:2", fence: 7, epoch: "e")) == nil)
        #expect(keys.openToken(sealed, .token("p:v:1", fence: 8, epoch: "e")) == nil)
        #expect(keys.openToken(sealed, .token("p:v:1", fence: 7, epoch: "f")) == nil)
        #expect(keys.openRefusal(sealed, .refusal("p:v:1")) == nil)
        #expect(try self.keys(FleetKeysTests.one, host: "https://b").openToken(sealed, place) == nil)
        #expect(try self.keys(FleetKeysTests.one, client: "d").openToken(sealed, place) == nil)
        #expect(try self.keys(FleetKeysTests.two).openToken(sealed, place) == nil)
    }

    @Test("A refusal doesn't open as a token of the same place.")
    func kinds() throws {
        let keys = try keys(FleetKeysTests.one)
        let refusal = EngineRefusal(status: 403, code: "c", title: nil)
        let sealed = try #require(keys.seal(refusal, .refusal("p:r:1")))
        #expect(keys.openRefusal(sealed, .refusal("p:r:1")) == refusal)
        #expect(keys.openToken(sealed, .refusal("p:r:1")) == nil)
        #expect(keys.openToken(sealed, .token("p:r:1", fence: 0, epoch: "")) == nil)
    }

    @Test("Nothing opens that is changed, cut or longer.")
    func changed() throws {
        let keys = try keys(FleetKeysTests.one)
        let sealed = try #require(keys.seal(token, place))
        for index in sealed.indices {
            var changed = sealed
            changed[index] ^= 1
            #expect(keys.openToken(changed, place) == nil)
            #expect(keys.openToken(Array(sealed[..<index]), place) == nil)
        }
        #expect(keys.openToken(sealed + [0], place) == nil)
    }

    @Test("The first key seals, and all open.")
    func rotation() throws {
        let (old, both) = try (keys(FleetKeysTests.one), keys("\(FleetKeysTests.two)\n\(FleetKeysTests.one)"))
        let sealedByOld = try #require(old.seal(token, place))
        let sealedByBoth = try #require(both.seal(token, place))
        #expect(both.openToken(sealedByOld, place) == token)
        #expect(both.openToken(sealedByOld, place, key: 1) == token)
        #expect(both.openToken(sealedByOld, place, key: 0) == nil)
        #expect(old.openToken(sealedByBoth, place) == nil)
        #expect(try keys(FleetKeysTests.two).openToken(sealedByBoth, place) == token)
    }

    @Test("The same value never has the same seal.")
    func nonces() throws {
        let keys = try keys(FleetKeysTests.one)
        #expect(Set((0..<100).compactMap { _ in keys.seal(token, place) }).count == 100)
    }

    @Test(
        "An event opens as it was sealed.",
        arguments: [
            EngineEventDetails.dropped(.tenant, .eviction, keys: []),
            .dropped(.user(field: 2, Array("ann".utf8)), .logout(revoked: []), keys: ["0a"]),
            .dropped(.token(ann), .logout(revoked: [fingerprint, Fingerprint(words: .zero)]), keys: ["0a", "1b"]),
            .dropped(.reported(ann, fingerprint), .eviction, keys: [""]), .stored(ann), .released(ann), .holdChanged,
        ]
    )
    func events(details: EngineEventDetails) throws {
        let keys = try keys(FleetKeysTests.one)
        let names = KeyNames(prefix: "p", keys).tenant
        let event = try #require(keys.seal(details, names, machine: "m1"))
        #expect(keys.open(event, names) == details)
        var (other, impostor) = (event, event)
        other.kind = event.kind == "s" ? "r" : "s"
        impostor.machine = "m2"
        #expect(keys.open(other, names) == nil)
        #expect(keys.open(impostor, names) == nil)
    }

    private static let fingerprint = Fingerprint(of: AccessToken("t").bytes)

    @Test("A plain form of another version, with more or with less, isn't read.")
    func versions() throws {
        let keys = try keys(FleetKeysTests.one)
        func seal(_ bytes: [UInt8]) -> [UInt8]? {
            var writer = PlainWriter(capacity: 8)
            for byte in bytes { writer.append(byte) }
            return keys.seal(writer, .refusal("r"))
        }
        let plain: [UInt8] = [1, 0, 0, 1, 147, 0, 0]
        func open(_ bytes: [UInt8]) -> EngineRefusal? {
            seal(bytes).flatMap { keys.openRefusal($0, .refusal("r")) }
        }
        #expect(open(plain) == EngineRefusal(status: 403, code: nil, title: nil))
        #expect(open([2] + plain.dropFirst()) == nil)
        #expect(open(plain + [0]) == nil)
        for count in plain.indices { #expect(open(Array(plain[..<count])) == nil) }
        #expect(open([1, 0, 0, 1, 147, 2, 0]) == nil)
        #expect(open([1, 0, 0, 1, 147, 1, 255, 255, 255, 255]) == nil)
    }
}
