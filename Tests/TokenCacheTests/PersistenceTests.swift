import OperatorReplies
import Secrets
import Testing
import TokenCache
import TokenProtocol

@Suite("Tokens for the next daemon")
struct PersistenceTests {
    private func persisted(
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
            lastUsed: Simulation.start + asked,
            isUnrequested: false,
            replacedReported: false,
            owner: 7
        )
    }

    @Test("A token is persisted before anyone gets it.")
    func keptFirst() async {
        let fixture = PersistentCache()
        await fixture.begin()
        await fixture.live {
            #expect(await fixture.ask("ann")?.source == .tenant)
            #expect(fixture.recorder.events() == [.stored("ann-1"), .answered])
        }
    }

    @Test("A token is persisted before the one that it replaces is removed: at no moment is there none.")
    func replaced() async {
        let fixture = PersistentCache()
        await fixture.begin()
        await fixture.live {
            _ = await fixture.ask("ann")
            _ = fixture.recorder.events()
            #expect(await fixture.ask("ann", noCache: true)?.source == .tenant)
            #expect(fixture.recorder.events() == [.stored("ann-2"), .removed("ann-1"), .answered])
        }
    }

    @Test("A token that leaves the cache is removed: evicted, reported, flushed.")
    func dropped() async {
        let fixture = PersistentCache()
        await fixture.begin()
        await fixture.live {
            for subject in ["ann", "bob", "cat"] { _ = await fixture.ask(subject) }
            _ = fixture.recorder.events()
            let now = fixture.recorder.now
            _ = await fixture.cache.evict(TokenKey.of("ann").user, scopes: nil, now: now)
            #expect(fixture.recorder.events() == [.removed("ann-1")])
            _ = await fixture.cache.invalidate(.of("bob"), AccessToken("bob-1").fingerprint, now: now)
            #expect(fixture.recorder.events() == [.removed("bob-1")])
            #expect(await fixture.cache.flush(tenant: nil, now: now) == 1)
            #expect(fixture.recorder.events() == [.removed("cat-1")])
        }
    }

    @Test("A token of an earlier daemon is served without a call, and isn't persisted again.")
    func restored() async {
        let fixture = PersistentCache()
        #expect(await fixture.begin(with: [persisted("ann"), persisted("bob")]) == 2)
        #expect(fixture.recorder.events() == [])
        let reply = await fixture.ask("ann")
        #expect(reply?.source == .cache)
        #expect(reply?.expiresIn == 900)
        #expect(await fixture.cache.stats(now: fixture.recorder.now).entries == 2)
    }

    @Test("A token that has expired, is from the future, or belongs to another client or tenant isn't restored.")
    func denied() async {
        let fixture = PersistentCache(tenants: ["main": .test(), "other": .test(host: "https://two.example")])
        let tokens = [
            persisted("ended", sent: .seconds(-1_000)),
            persisted("future", sent: .seconds(1)),
            persisted("client", client: "another"),
            persisted("host", tenant: "other"),
            persisted("gone", tenant: "removed"),
            persisted("ann"),
        ]
        #expect(await fixture.begin(with: tokens) == 1)
        #expect(fixture.recorder.events() == tokens.dropLast().map { .removed("\($0.subject)-0") })
        #expect(await fixture.cache.stats(now: fixture.recorder.now).entries == 1)
    }

    @Test("Of two tokens of one key the later counts, in either order.", arguments: [true, false])
    func twice(laterFirst: Bool) async {
        let fixture = PersistentCache()
        let (old, new) = (persisted("ann", name: "old", sent: .seconds(-200)), persisted("ann", name: "new"))
        await fixture.begin(with: laterFirst ? [new, old] : [old, new])
        #expect(fixture.recorder.events() == [.removed("old")])
        #expect(await fixture.ask("ann")?.expiresIn == 900)
        #expect(await fixture.cache.stats(now: fixture.recorder.now).entries == 1)
    }

    @Test("If the cache is smaller now, the last used tokens stay, also when there is no more space.")
    func smaller() async {
        var policy = CachePolicy()
        policy.maxEntries = 2
        let fixture = PersistentCache(policy: policy)
        // The store passes on the last used tokens at the end.
        await fixture.begin(with: ["ann", "bob", "cat"].map { persisted($0) })
        #expect(fixture.recorder.events() == [.removed("ann-0")])
        await fixture.live {
            _ = await fixture.ask("dan")
            #expect(fixture.recorder.events() == [.stored("dan-1"), .removed("bob-0"), .answered])
        }
    }

    @Test(
        "A restored token in use is refreshed ahead of its expiry, as if its daemon had gone on.",
        .timeLimit(.minutes(1))
    )
    func refreshed() async {
        let fixture = PersistentCache()
        await fixture.begin(with: [persisted("ann"), persisted("idle", asked: .seconds(-3_000))])
        await fixture.live {
            fixture.recorder.advance(.seconds(800))
            await fixture.cache.timePassed()
            // 900 s of their lives are over: the refresh deadline.
            await fixture.recorder.until(.removed("ann-0"))
            _ = await fixture.ask("bob")
            #expect(fixture.recorder.events() == [.stored("ann-1"), .removed("ann-0"), .stored("bob-1"), .answered])
        }
    }

    @Test("A token for which the store had no space is persisted when there is some.")
    func spaceAgain() async {
        let fixture = PersistentCache()
        await fixture.begin(isFull: true)
        await fixture.live {
            _ = await fixture.ask("ann")
            #expect(fixture.recorder.events() == [.answered])
            await fixture.cache.stored(2)
            #expect(fixture.recorder.events() == [.stored("ann-1")])
            await fixture.cache.stored(3)
            #expect(fixture.recorder.events() == [])
        }
    }

    @Test("At its end the daemon persists uses. After that nothing is persisted.")
    func notesAndEnd() async {
        let fixture = PersistentCache()
        await fixture.begin(with: [persisted("ann")])
        await fixture.live {
            _ = await fixture.ask("bob")
            fixture.recorder.advance(.seconds(1))
            for subject in ["ann", "bob"] { _ = await fixture.ask(subject) }
            _ = fixture.recorder.events()
            await fixture.cache.persistUses()
            #expect(Set(fixture.recorder.events().map { "\($0)" }) == [#"used("ann-0")"#, #"used("bob-1")"#])
            await fixture.cache.endPersisting()
            #expect(fixture.recorder.events() == [.ended])
            _ = await fixture.ask("cat")
            await fixture.cache.persistUses()
            #expect(fixture.recorder.events() == [.answered])
        }
    }

    @Test("Uses are persisted while the daemon lives, so that a crash makes nobody idle who isn't.")
    func usesWhileItLives() async {
        let fixture = PersistentCache()
        await fixture.begin(with: [persisted("ann"), persisted("bob")])
        fixture.recorder.advance(.seconds(30))
        _ = await fixture.ask("ann")
        fixture.recorder.advance(.seconds(29))
        await fixture.cache.timePassed()
        #expect(fixture.recorder.events() == [.answered])
        fixture.recorder.advance(.seconds(1))
        await fixture.cache.timePassed()
        #expect(fixture.recorder.events() == [.used("ann-0")])
        fixture.recorder.advance(.seconds(60))
        await fixture.cache.timePassed()
        #expect(fixture.recorder.events() == [], "nobody has asked since")
    }

    @Test("A use in the future counts as now, so that nobody counts as in use forever.")
    func future() async {
        let fixture = PersistentCache()
        await fixture.begin(with: [persisted("ann", asked: .seconds(1_000_000))])
        await fixture.live {
            fixture.recorder.advance(.seconds(1_900))
            await fixture.cache.timePassed()
            // It has expired. A user seen within half an hour would have been refreshed before.
            _ = await fixture.ask("bob")
            #expect(fixture.recorder.events() == [.removed("ann-0"), .stored("bob-1"), .answered])
        }
    }

    @Test("Persisting that starts late persists the present tokens.")
    func late() async {
        let fixture = PersistentCache()
        await fixture.live {
            _ = await fixture.ask("ann")
            _ = fixture.recorder.events()
            await fixture.begin()
            #expect(fixture.recorder.events() == [.stored("ann-1")])
        }
    }
}

extension PersistedToken {
    fileprivate var subject: String { String(decoding: user.value, as: UTF8.self) }
}
