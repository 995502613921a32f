import Secrets
import Testing

@testable import FleetProtocol

@Suite("Names of keys in the engine")
struct KeyNamesTests {
    private let ann = EngineTokenID(field: 0, user: Array("ann".utf8), scopes: "user_default")

    private func names(_ file: String, host: String = "https://a", client: String = "c") throws -> KeyNames {
        let keys = try FleetKeys(AccessToken(file).bytes)
        return KeyNames(prefix: "p", TenantKeys(keys, host: host, clientID: client))
    }

    @Test("All names of a tenant have one tag, also with other keys.")
    func tag() throws {
        let names = try names(FleetKeysTests.one)
        let tag = try #require(names.tenant.bucket.firstMatch(of: /^p:\{[A-Za-z0-9_-]{16}\}:/)).output
        let token = try #require(names.token(ann).first)
        let all = [
            names.tenant.bucket, names.tenant.hold, names.tenant.generation, names.tenant.fence, names.tenant.events,
            names.tenant.eventCount, token.value, token.lease, token.refusal, token.generation, token.userGeneration,
            token.index, names.claim(Fingerprint(of: AccessToken("t").bytes)),
        ]
        #expect(all.allSatisfy { $0.hasPrefix(tag) })
        #expect(Set(all).count == all.count)
        #expect(try self.names(FleetKeysTests.two).tenant == names.tenant)
    }

    @Test("Tenants differ by host and by client ID, however these are divided.")
    func tenants() throws {
        let all = try [("https://a", "c"), ("https://b", "c"), ("https://a", "d"), ("https://", "ac")].map {
            try names(FleetKeysTests.one, host: $0.0, client: $0.1)
        }
        #expect(Set(all.map(\.tenant.bucket)).count == all.count)
        #expect(Set(all.map { $0.token(ann)[0].value.suffix(22) }).count == all.count)
    }

    @Test("Tokens differ by each part of their identity, and a user's share the user's names.")
    func tokens() throws {
        let names = try names(FleetKeysTests.one)
        var (bob, admin, other) = (ann, ann, ann)
        bob.user = Array("bob".utf8)
        admin.scopes = "admin"
        other.field = 1
        let all = [ann, bob, admin, other].map { names.token($0)[0] }
        #expect(Set(all.map(\.value)).count == 4)
        #expect(Set(all.map(\.generation)).count == 4)
        #expect(Set(all.map(\.userGeneration)).count == 3)
        #expect(all[0].userGeneration == all[2].userGeneration && all[0].index == all[2].index)
        #expect(names.user(field: 0, ann.user)[0].userGeneration == all[0].userGeneration)
    }

    @Test("No name shows a user or a scope.")
    func hidden() throws {
        let names = try names(FleetKeysTests.one)
        let token = try #require(names.token(ann).first)
        for name in [token.value, token.lease, token.index, token.userGeneration] {
            #expect(!name.contains("ann") && !name.contains("user_default"))
            let hash = try #require(name.split(separator: ":").last)
            #expect(hash.count == 22)
        }
    }

    @Test("There are names under each of the fleet's keys, in their order.")
    func rotation() throws {
        let both = try names("\(FleetKeysTests.two)\n\(FleetKeysTests.one)").token(ann)
        #expect(both.count == 2)
        #expect(try both == names(FleetKeysTests.two).token(ann) + names(FleetKeysTests.one).token(ann))
        let fingerprint = Fingerprint(of: AccessToken("t").bytes)
        let marks = try names("\(FleetKeysTests.two)\n\(FleetKeysTests.one)").marks(fingerprint)
        #expect(
            try marks == names(FleetKeysTests.two).marks(fingerprint) + names(FleetKeysTests.one).marks(fingerprint)
        )
        #expect(Set(marks).count == 2)
    }

    @Test("Names stay as they are, so that machines of different versions find each other's tokens.")
    func stable() throws {
        let names = try names(FleetKeysTests.one)
        #expect(names.tenant.bucket == "p:{QWtyx2wmB7vKJwjW}:bucket")
        #expect(names.token(ann)[0].value == "p:{QWtyx2wmB7vKJwjW}:v:vo_cfRt71gOnQNH_C8EbDQ")
        #expect(names.token(ann)[0].index == "p:{QWtyx2wmB7vKJwjW}:i:_nZGAZ2pleBq_9ViTXc8qw")
        #expect(KeyNames.machines(prefix: "p") == "p:machines")
    }
}
