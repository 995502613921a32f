import SocketServer
import Testing
import TokenCache
import TokenProtocol

/// A name that can't be resolved, or a unit that can't be determined, never gives anyone more.
@Suite("Rules whose peers are not known")
struct AccessPolicyTests {
    private static let everyone = AccessRule(peers: .everyone, subjects: [.everything])

    private func policy(_ first: PeerSet, _ change: (inout KnownAccounts) -> Void = { _ in }) -> AccessPolicy {
        var policy = AccessPolicy(
            directory: TenantDirectory(scopes: [:], defaultTenant: nil),
            rules: [AccessRule(peers: PeerSet(users: [1])), AccessRule(peers: first), Self.everyone],
            administrators: PeerSet()
        )
        var accounts = KnownAccounts()
        accounts.userNames = [33: "www-data", 0: "root"]
        accounts.groupNames = [33: "www-data", 50: "staff"]
        change(&accounts)
        policy.resolve(accounts)
        return policy
    }

    @Test("Until a user's name resolves, a peer without a known name gets only what earlier rules give.")
    func users() {
        let names = AccountNames(users: ["ldapapp"])
        let unresolved = policy(PeerSet(names: names))
        #expect(unresolved.unresolvedNames == names)
        #expect(unresolved.decide(Peer(uid: 1, gid: 1)) == .rule(0))
        #expect(unresolved.decide(Peer(uid: 33, gid: 33)) == .rule(2))
        #expect(unresolved.decide(Peer(uid: 5_001, gid: 33)) == .undecided(1, .name))
        let resolved = policy(PeerSet(names: names)) { $0.users["ldapapp"] = 5_001 }
        #expect(resolved.unresolvedNames.isEmpty)
        #expect(resolved.decide(Peer(uid: 5_001, gid: 33)) == .rule(1))
        #expect(resolved.decide(Peer(uid: 5_002, gid: 33)) == .rule(2))
    }

    @Test("A peer whose number has the name that a rule can't resolve may match the rule.")
    func sameName() {
        let policy = policy(PeerSet(names: AccountNames(users: ["www-data"])))
        #expect(policy.decide(Peer(uid: 33, gid: 1)) == .undecided(1, .name))
        #expect(policy.decide(Peer(uid: 0, gid: 1)) == .rule(2))
    }

    @Test("Until a group's name resolves, a peer with any unknown group may match.")
    func groups() {
        let policy = policy(PeerSet(users: [40], names: AccountNames(groups: ["ldapgroup"])))
        #expect(policy.decide(Peer(uid: 40, gid: 7_000)) == .rule(1), "a number needs no lookup")
        #expect(policy.decide(Peer(uid: 33, gid: 33, groups: [50])) == .rule(2))
        #expect(policy.decide(Peer(uid: 33, gid: 7_000)) == .undecided(1, .name))
        #expect(policy.decide(Peer(uid: 33, gid: 33, groups: [50, 7_000])) == .undecided(1, .name))
    }

    @Test("A rule by units ends the search for a peer whose unit can't be determined, but not for one without a unit.")
    func units() {
        let policy = policy(PeerSet(units: [Glob("shop.service")]))
        #expect(policy.decide(Peer(uid: 33, gid: 33, unit: "shop.service")) == .rule(1))
        #expect(policy.decide(Peer(uid: 33, gid: 33, unit: "other.service")) == .rule(2))
        #expect(policy.decide(Peer(uid: 33, gid: 33)) == .rule(2))
        #expect(policy.decide(Peer(uid: 33, gid: 33, hidesUnit: true)) == .undecided(1, .unit))
        #expect(policy.decide(Peer(uid: 1, gid: 33, hidesUnit: true)) == .rule(0))
    }

    @Test("An administrator's name that can't be resolved matches nobody.")
    func administrators() {
        var policy = policy(PeerSet())
        policy.administrators = PeerSet(users: [0], names: AccountNames(users: ["ops"]))
        policy.resolve(policy.accounts)
        #expect(policy.unresolvedNames == AccountNames(users: ["ops"]))
        #expect(!policy.administrators.contains(Peer(uid: 5_001, gid: 1)))
        #expect(policy.administrators.contains(Peer(uid: 0, gid: 0)))
    }
}
