import SocketServer
import Testing
import TokenCache
import TokenProtocol

@Suite("Which key a request means")
struct TenantDirectoryTests {
    private let ann = UserLookup(field: .subject, value: "ann")

    private func directory(_ scopes: [String: String], defaultTenant: String? = "main") -> TenantDirectory {
        TenantDirectory(scopes: scopes.compactMapValues { ScopeSet($0) }, defaultTenant: defaultTenant)
    }

    @Test("No scope means the tenant's own, which is the same key as asking for it.")
    func ownScope() throws {
        let directory = directory(["main": "b a"])
        let plain = try directory.key(for: KeyRequest(user: ann))
        #expect(try directory.key(for: KeyRequest(user: ann, tenant: "main", scopes: ScopeSet("a b"))) == plain)
        #expect(plain.scopes == ScopeSet("a b"))
    }

    @Test("A part of the tenant's scopes may be asked for; another scope is forbidden.")
    func scopes() throws {
        let directory = directory(["main": "a b"])
        #expect(try directory.key(for: KeyRequest(user: ann, scopes: ScopeSet("a"))).scopes == ScopeSet("a"))
        let other = #expect(throws: ErrorReply.self) {
            try directory.key(for: KeyRequest(user: ann, scopes: ScopeSet("a c")))
        }
        #expect(other?.code == .forbidden)
        let prefetch = PrefetchRequest(users: [ann], scopes: ScopeSet("c"))
        #expect(#expect(throws: ErrorReply.self) { try directory.keys(for: prefetch) }?.code == .forbidden)
    }

    @Test("A tenant that isn't configured is unknown; with several, one has to be the default or be named.")
    func tenants() throws {
        let two = directory(["main": "a", "other": "a"], defaultTenant: nil)
        let unknown = #expect(throws: ErrorReply.self) { try two.key(for: KeyRequest(user: ann, tenant: "none")) }
        #expect(unknown?.code == .unknownTenant)
        #expect(#expect(throws: ErrorReply.self) { try two.key(for: KeyRequest(user: ann)) }?.code == .unknownTenant)
        #expect(try two.key(for: KeyRequest(user: ann, tenant: "other")).user.tenant == "other")
        #expect(try directory(["main": "a", "other": "a"]).key(for: KeyRequest(user: ann)).user.tenant == "main")
    }
}
