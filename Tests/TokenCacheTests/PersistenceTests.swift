import OperatorReplies
import Secrets
import Testing
import TokenCache
import TokenProtocol

@Suite("Tokens for the next daemon")
struct PersistenceTests {
    private func kept(
        _ subject: String,
        name: String? = nil,
        client: String = "client",
        tenant: String = "main",
        sent: Duration = .seconds(-100),
        asked: Duration = .seconds(-50)
    ) -> PersistedToken {
        PersistedToken(
            tenant: tenant,
            identity: .init(host: "https://one.example", clientID: client),
            user: UserLookup(field: .subject, value: subject),
            scopes: TokenKey.of(subject).scopes,
            token: EncodedToken(onHeap: AccessToken(name ?? "\(subject)-0"), scope: "user_default", expiresAt: ""),
            sent: Simulation.start + sent,
            lifetime: .seconds(1_000),
            jitterFraction: 0.5,
            arrived: Simulation.start + sent,
            lastAsked: Simulation.start + asked,
            cameUnasked: false,
            replacedReported: false,
            owner: 7
        )
    }

    @Test("A token is kept before anyone hears of it.")
    func keptFirst() async {
        let world = PersistedWorld()
        await world.begin()
        await world.live {
            #expect(await world.ask("ann")?.source == .tenant)
            #expect(world.diary.events() == [.kept("ann-1"), .answered])
        }
    }

    @Test("The token that replaces another is kept before that one is dropped: at no moment is there none.")
    func replaced() async {
        let world = PersistedWorld()
        await world.begin()
        await world.live {
            _ = await world.ask("ann")
            _ = world.diary.events()
            #expect(await world.ask("ann", noCache: true)?.source == .tenant)
            #expect(world.diary.events() == [.kept("ann-2"), .dropped("ann-1"), .answered])
        }
    }

    @Test("What goes from the cache is dropped: evicted, reported, flushed.")
    func dropped() async {
        let world = PersistedWorld()
        await world.begin()
        await world.live {
            for subject in ["ann", "bob", "cat"] { _ = await world.ask(subject) }
            _ = world.diary.events()
            let now = world.diary.now
            _ = await world.cache.evict(TokenKey.of("ann").user, scopes: nil, now: now)
            #expect(world.diary.events() == [.dropped("ann-1")])
            _ = await world.cache.invalidate(.of("bob"), AccessToken("bob-1").fingerprint, now: now)
            #expect(world.diary.events() == [.dropped("bob-1")])
            #expect(await world.cache.flush(tenant: nil, now: now) == 1)
            #expect(world.diary.events() == [.dropped("cat-1")])
        }
    }

    @Test("What an earlier daemon has kept is served without a call, and isn't kept anew.")
    func restored() async {
        let world = PersistedWorld()
        #expect(await world.begin(with: [kept("ann"), kept("bob")]) == 2)
        #expect(world.diary.events() == [])
        let reply = await world.ask("ann")
        #expect(reply?.source == .cache)
        #expect(reply?.expiresIn == 900)
        #expect(await world.cache.stats(now: world.diary.now).entries == 2)
    }

    @Test("What has ended, comes from the future, or was minted under another client or tenant isn't taken.")
    func refused() async {
        let world = PersistedWorld(tenants: ["main": .test(), "other": .test(host: "https://two.example")])
        let kept = [
            kept("ended", sent: .seconds(-1_000)),
            kept("future", sent: .seconds(1)),
            kept("client", client: "another"),
            kept("host", tenant: "other"),
            kept("gone", tenant: "removed"),
            kept("ann"),
        ]
        #expect(await world.begin(with: kept) == 1)
        #expect(world.diary.events() == kept.dropLast().map { .dropped("\($0.subject)-0") })
        #expect(await world.cache.stats(now: world.diary.now).entries == 1)
    }

    @Test("Of two tokens of one key the later counts, in whichever order they come.", arguments: [true, false])
    func twice(laterFirst: Bool) async {
        let world = PersistedWorld()
        let (old, new) = (kept("ann", name: "old", sent: .seconds(-200)), kept("ann", name: "new"))
        await world.begin(with: laterFirst ? [new, old] : [old, new])
        #expect(world.diary.events() == [.dropped("old")])
        #expect(await world.ask("ann")?.expiresIn == 900)
        #expect(await world.cache.stats(now: world.diary.now).entries == 1)
    }

    @Test("Where the cache has become smaller, what was asked for last stays; so it does when there is no more room.")
    func smaller() async {
        var policy = CachePolicy()
        policy.maxEntries = 2
        let world = PersistedWorld(policy: policy)
        // The keeper hands over what was asked for last at the end.
        await world.begin(with: ["ann", "bob", "cat"].map { kept($0) })
        #expect(world.diary.events() == [.dropped("ann-0")])
        await world.live {
            _ = await world.ask("dan")
            #expect(world.diary.events() == [.kept("dan-1"), .dropped("bob-0"), .answered])
        }
    }

    @Test(
        "A restored token that is in use is refreshed ahead of its end, as if its daemon had gone on.",
        .timeLimit(.minutes(1))
    )
    func refreshed() async {
        let world = PersistedWorld()
        await world.begin(with: [kept("ann"), kept("idle", asked: .seconds(-3_000))])
        await world.live {
            world.diary.advance(.seconds(800))
            await world.cache.timePassed()
            // 900 s of their lives are over: the last chance.
            await world.diary.until(.dropped("ann-0"))
            _ = await world.ask("bob")
            #expect(world.diary.events() == [.kept("ann-1"), .dropped("ann-0"), .kept("bob-1"), .answered])
        }
    }

    @Test("What could not be kept for want of room is kept when there is some.")
    func room() async {
        let world = PersistedWorld()
        await world.begin(isFull: true)
        await world.live {
            _ = await world.ask("ann")
            #expect(world.diary.events() == [.answered])
            await world.cache.stored(2)
            #expect(world.diary.events() == [.kept("ann-1")])
            await world.cache.stored(3)
            #expect(world.diary.events() == [])
        }
    }

    @Test("At its end the daemon notes who was seen since; once keeping has ended, nothing is kept or noted.")
    func notesAndEnd() async {
        let world = PersistedWorld()
        await world.begin(with: [kept("ann")])
        await world.live {
            _ = await world.ask("bob")
            world.diary.advance(.seconds(1))
            for subject in ["ann", "bob"] { _ = await world.ask(subject) }
            _ = world.diary.events()
            await world.cache.persistUses()
            #expect(Set(world.diary.events().map { "\($0)" }) == [#"used("ann-0")"#, #"used("bob-1")"#])
            await world.cache.endPersisting()
            #expect(world.diary.events() == [.ended])
            _ = await world.ask("cat")
            await world.cache.persistUses()
            #expect(world.diary.events() == [.answered])
        }
    }

    @Test("The next daemon is told of uses while this one lives, so that a crash makes nobody idle who isn't.")
    func usesWhileItLives() async {
        let world = PersistedWorld()
        await world.begin(with: [kept("ann"), kept("bob")])
        world.diary.advance(.seconds(30))
        _ = await world.ask("ann")
        world.diary.advance(.seconds(29))
        await world.cache.timePassed()
        #expect(world.diary.events() == [.answered])
        world.diary.advance(.seconds(1))
        await world.cache.timePassed()
        #expect(world.diary.events() == [.used("ann-0")])
        world.diary.advance(.seconds(60))
        await world.cache.timePassed()
        #expect(world.diary.events() == [], "nobody has asked since")
    }

    @Test("A time that lies in the future counts as now, so that nobody is taken to ask for ever.")
    func future() async {
        let world = PersistedWorld()
        await world.begin(with: [kept("ann", asked: .seconds(1_000_000))])
        await world.live {
            world.diary.advance(.seconds(1_900))
            await world.cache.timePassed()
            // Its end has come; a user seen within half an hour would have been refreshed before.
            _ = await world.ask("bob")
            #expect(world.diary.events() == [.dropped("ann-0"), .kept("bob-1"), .answered])
        }
    }

    @Test("Keeping that begins late keeps what is there.")
    func late() async {
        let world = PersistedWorld()
        await world.live {
            _ = await world.ask("ann")
            _ = world.diary.events()
            await world.begin()
            #expect(world.diary.events() == [.kept("ann-1")])
        }
    }
}

extension PersistedToken {
    fileprivate var subject: String { String(decoding: user.value, as: UTF8.self) }
}
