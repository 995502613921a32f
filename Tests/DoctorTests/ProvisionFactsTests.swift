import Doctor
import Testing

@Suite("The judgement of provision")
struct ProvisionFactsTests {
    private typealias Client = ProvisionFacts.Client

    private func findings(
        _ scopes: [String]?,
        revoke: Client? = nil,
        isAllowed: Bool = true,
        exposed: [String] = []
    ) -> [Finding] {
        ProvisionFacts(
            tenant: "main",
            client: Client(name: "users", scopes: scopes),
            revokeClient: revoke,
            isAllowed: isAllowed,
            exposed: exposed
        ).findings
    }

    @Test(
        "A client whose scopes suffice is well, and so is one that gets all of its scopes.",
        arguments: [nil, ["admin.users"], ["admin_classic"], ["user_default", "admin.users"]] as [[String]?]
    )
    func usable(scopes: [String]?) {
        let finding = Finding(.provision, "main", .ok, "the client users finds and creates users")
        #expect(findings(scopes) == [finding])
    }

    @Test("The client of a logout everywhere is named, too.")
    func revocation() {
        let found = findings(nil, revoke: Client(name: "admin", scopes: ["admin_classic"])).map(\.found)
        #expect(found == ["the client users finds and creates users; the client admin revokes all tokens of a user"])
    }

    @Test("A client that lacks a scope is a warning with the scope, for each purpose.")
    func scopes() {
        let found = findings(["user_default"], revoke: Client(name: "users", scopes: ["admin.users"]))
        #expect(found.map(\.status) == [.warning, .warning])
        #expect(
            found[0].found.hasSuffix(
                "asks for user_default, and needs admin.users or admin_classic to find and create users"
            )
        )
        #expect(found[1].found.contains("asks for admin.users, and needs admin_classic to revoke tokens"))
        #expect(found[0].advice?.hasSuffix("clients.users.scope") == true)
    }

    @Test("A section that nobody may use is a warning, unless a logout everywhere needs it.")
    func unused() {
        #expect(findings(nil, isAllowed: false).map(\.status) == [.warning])
        #expect(findings(nil, isAllowed: false)[0].found.hasPrefix("no access rule allows the operation provision"))
        #expect(findings(nil, revoke: Client(name: "users", scopes: nil), isAllowed: false).map(\.status) == [.ok])
    }

    @Test("A rule that hands out the token of a client that administers users is a warning.")
    func exposure() {
        let found = findings(nil, exposed: ["users"])
        #expect(found.map(\.status) == [.warning])
        #expect(found[0].advice?.hasPrefix("remove users from clients of the access rule") == true)
    }
}
