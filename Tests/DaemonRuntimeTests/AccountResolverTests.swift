import DaemonRuntime
import Dispatch
import SocketServer
import Testing
import TokenCache

@Suite("The names of the access rules")
struct AccountResolverTests {
    @Test(
        "A known name gets its number. For an unknown one the accounts are listed, so that most peers' names are known."
    )
    func resolve() {
        let service = StandInNameService(users: ["ann": 1], groups: ["staff": 2])
        service.change { $0.listed = [7: "cid"] }
        let resolver = AccountResolver(service)
        let known = resolver.resolve(AccountNames(users: ["ann"], groups: ["staff"]), within: .seconds(60))
        #expect(known.users == ["ann": 1] && known.groups == ["staff": 2])
        #expect(!service.lookUps.contains("list users"), "nothing is unknown")
        let further = resolver.resolve(AccountNames(users: ["ann", "bob"]), within: .seconds(60))
        #expect(further.users == ["ann": 1])
        #expect(further.userNames == [7: "cid"])
    }

    @Test("A name that was resolved stays known until a reload, which finds its new number.")
    func again() async {
        let service = StandInNameService(users: ["ann": 1])
        let resolver = AccountResolver(service)
        let names = AccountNames(users: ["ann"])
        _ = resolver.resolve(names, within: .seconds(60))
        service.change { $0.users = ["ann": 5] }
        #expect(await resolver.resolveFurther(names).users == ["ann": 1])
        #expect(service.lookUps == ["user ann"])
        #expect(resolver.resolve(names, within: .seconds(60)).users == ["ann": 5])
    }

    @Test("A name service that doesn't answer delays a start by no more than the timeout.")
    func timeout() {
        let service = StandInNameService(users: ["ann": 1], isBlocking: true)
        let resolver = AccountResolver(service)
        #expect(resolver.resolve(AccountNames(users: ["ann"]), within: .milliseconds(1)).users.isEmpty)
        service.unblock()
        service.unblock()
        #expect(resolver.resolve(AccountNames(users: ["ann"]), within: .seconds(60)).users == ["ann": 1])
    }

    @Test("A peer's numbers are looked up once, with or without a name, until all are looked up again.")
    func peers() async {
        let service = StandInNameService(users: ["ann": 1], groups: ["staff": 2])
        let resolver = AccountResolver(service)
        let peer = Peer(uid: 1, gid: 2, groups: [9])
        #expect(resolver.want(peer))
        let known = await resolver.resolveFurther(AccountNames())
        #expect(known.userNames == [1: "ann"] && known.groupNames == [2: "staff"])
        #expect(!resolver.want(peer))
        service.change { $0.groups["new"] = 9 }
        resolver.lookAgain()
        #expect(resolver.want(peer), "also those that have a name")
        #expect(await resolver.resolveFurther(AccountNames()).groupNames == [2: "staff", 9: "new"])
    }

    @Test("A name that belongs to another number by now is not the old one's after the next round.")
    func renamed() async {
        let service = StandInNameService(users: ["ann": 1])
        let resolver = AccountResolver(service)
        _ = resolver.want(Peer(uid: 1, gid: 0, groups: []))
        #expect(await resolver.resolveFurther(AccountNames()).userNames == [1: "ann"])
        service.change { $0.users = ["ann": 3] }
        resolver.lookAgain()
        #expect(await resolver.resolveFurther(AccountNames()).userNames == [:])
    }

    @Test("Peers beyond a bound are looked up when the others have been.")
    func bounded() async {
        let resolver = AccountResolver(StandInNameService())
        for uid in UInt32(1)...1_024 { _ = resolver.want(Peer(uid: uid, gid: 0, groups: [])) }
        #expect(!resolver.want(Peer(uid: 5_000, gid: 0, groups: [])))
        _ = await resolver.resolveFurther(AccountNames())
        #expect(resolver.want(Peer(uid: 5_000, gid: 0, groups: [])))
    }
}

@Suite("Names that become known", .timeLimit(.minutes(3)))
struct AccountServiceTests {
    @Test("A name that a directory server knows later is applied to the rules, and logged once.")
    func later() async throws {
        let names = StandInNameService()
        let settings = #"access: [{ users: [late, never] }]"#
        try await TestDaemon.run(settings: settings, names: names) { daemon in
            let service = AccountService(
                daemon.frontend,
                daemon.source.accounts,
                requests: AccountRequests(),
                log: daemon.log.logger
            )
            await service.round()
            #expect(await daemon.frontend.unresolvedNames == AccountNames(users: ["late", "never"]))
            #expect(daemon.log.count("are known now") == 0)
            names.change { $0.users["late"] = 1 }
            await service.round()
            await service.round()
            #expect(await daemon.frontend.unresolvedNames == AccountNames(users: ["never"]))
            #expect(daemon.log.count(#"names in the access rules are known now names="user 'late'""#) == 1)
        }
    }
}
