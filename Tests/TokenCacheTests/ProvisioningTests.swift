import OperatorReplies
import Secrets
import Testing
import TokenProtocol

@testable import TokenCache

@Suite("Provisions")
struct ProvisioningTests {
    private static let unreachable = CallFailure.unavailable("the API is down")

    private func request(
        _ subject: String = "ann",
        groups: [String]? = nil,
        timeout: Duration = .seconds(10)
    ) -> ProvisionRequest {
        ProvisionRequest(subject: Array(subject.utf8), groups: groups, timeout: timeout)
    }

    private func user(
        _ subject: String = "ann",
        id: String = "1",
        status: String = "active",
        groups: [String] = []
    ) -> TenantUser {
        TenantUser(id: id, subject: Array(subject.utf8), status: status, groups: groups.map { .init(name: $0) })
    }

    /// A cache whose client `users` has a token.
    private func cache(_ policy: TenantPolicy = .provisioning()) throws -> Simulation {
        var cache = Simulation(tenants: ["main": policy])
        #expect(cache.provision(request("first")) == nil)
        cache.succeed(try cache.onlyMint())
        let (call, _) = try cache.onlyAPICall()
        cache.endAPI(call, .users([user("first", id: "0")], next: nil))
        return cache
    }

    private func steps(_ cache: borrowing Simulation) -> [AuditRecord.ProvisionStep] {
        cache.records.compactMap { record in
            if case .provision(_, _, let step) = record.act { step } else { nil }
        }
    }

    private func reply(created: Bool = false, changed: Bool = false, cached: Bool = false) -> Reply {
        .provisioned(
            ProvisionReply(
                userID: "1",
                status: "active",
                isCreated: created,
                hasChangedGroups: changed,
                isFromCache: cached
            )
        )
    }

    @Test("A provision gets its client's token, finds the user, and is remembered until the user is idle.")
    func finds() throws {
        var cache = Simulation(tenants: ["main": .provisioning()])
        let waiter = cache.newWaiter()
        #expect(cache.provision(request(), as: waiter) == nil)
        let mints = cache.mints()
        #expect(mints.map(\.key.user.user) == [UserLookup(field: .client, value: "users")])
        #expect(cache.succeed(mints[0].call).isEmpty)
        let calls = cache.apiCalls()
        #expect(calls.map(\.call) == [.findUsers(subject: Array("ann".utf8), page: nil)])
        #expect(calls[0].bearer == AccessToken("token-1"))
        #expect(cache.endAPI(calls[0].id, .users([user()], next: nil)) == [Delivery(waiter: waiter, reply: reply())])
        #expect(cache.provision(request()) == reply(cached: true))
        #expect(cache.orders().isEmpty)
        #expect(cache.provision(request(groups: ["portal-a"])) == nil)
        cache.advance(CachePolicy().idleTTL)
        _ = cache.orders()
        #expect(cache.provision(request()) == nil)
    }

    @Test("The client's token is cached for the next provision.")
    func bearer() throws {
        var cache = try cache()
        #expect(cache.provision(request()) == nil)
        let (call, _) = try cache.onlyAPICall()
        #expect(cache.endAPI(call, .users([user()], next: nil)).map(\.reply) == [reply()])
    }

    @Test("Requests with the same content share a job, and others wait for their turn.")
    func oneJobPerSubject() throws {
        var cache = try cache()
        for _ in 0..<3 { #expect(cache.provision(request(groups: ["portal-a"])) == nil) }
        #expect(cache.provision(request(groups: [])) == nil)
        let (call, _) = try cache.onlyAPICall()
        #expect(cache.endAPI(call, .users([user(groups: ["portal-a"])], next: nil)).count == 3)
        let (next, _) = try cache.onlyAPICall()
        cache.endAPI(next, .users([user(groups: ["portal-a"])], next: nil))
        let (change, what) = try cache.onlyAPICall()
        let edit = GroupChange.edit(adding: [], removing: [.init(name: "portal-a")])
        #expect(what == .changeGroups(userID: "1", edit))
        cache.endAPI(change, .done)
        let (compare, _) = try cache.onlyAPICall()
        #expect(cache.endAPI(compare, .users([user()], next: nil)).map(\.reply) == [reply(changed: true)])
        #expect(steps(cache) == [.groupsChanged(added: [], removed: ["portal-a"])])
    }

    @Test("Each creation and each change of groups is recorded, with the peer who asked and without the name.")
    func records() throws {
        var cache = try cache()
        var request = request(groups: ["portal-a"])
        (request.name, request.email) = ("Ann Secret", "ann@secret.example")
        #expect(cache.provision(request, peer: 33) == nil)
        let (find, _) = try cache.onlyAPICall()
        cache.endAPI(find, .users([], next: nil))
        let (create, _) = try cache.onlyAPICall()
        cache.endAPI(create, .created(user()))
        let (change, _) = try cache.onlyAPICall()
        cache.endAPI(change, .done)
        let (compare, _) = try cache.onlyAPICall()
        let replies = cache.endAPI(compare, .users([user(groups: ["portal-a"])], next: nil))
        #expect(replies.map(\.reply) == [reply(created: true)])
        #expect(steps(cache) == [.created, .groupsChanged(added: ["portal-a"], removed: [])])
        let records = cache.records.filter { if case .provision = $0.act { true } else { false } }
        #expect(records.allSatisfy { $0.peer?.uid == 33 })
        #expect(!"\(records)".contains("secret"))
        #expect(!"\(records)".contains("Secret"))
    }

    @Test("A tenant without the configuration, a group outside its patterns and no time to wait are refused at once.")
    func refusedAtOnce() throws {
        var none = Simulation()
        #expect(none.provision(request())?.error?.code == .forbidden)
        var cache = try cache()
        #expect(cache.provision(request(groups: ["portal-a", "staff"]))?.error?.code == .forbidden)
        #expect(cache.provision(request(timeout: .zero))?.error?.code == .timeout)
        #expect(cache.orders().isEmpty)
    }

    @Test("A refused token is dropped and the call is made once more with another one; a second refusal is the answer.")
    func unauthorized() throws {
        var cache = try cache()
        #expect(cache.provision(request()) == nil)
        let first = try #require(cache.apiCalls().first)
        #expect(cache.endAPI(first.id, .refused(.init(status: 401))).isEmpty)
        cache.succeed(try cache.onlyMint())
        let second = try #require(cache.apiCalls().first)
        #expect(second.call == first.call)
        #expect(second.bearer != first.bearer)
        let replies = cache.endAPI(second.id, .refused(.init(status: 401, code: "AUTH-1")))
        #expect(replies.map(\.reply.error?.code) == [.denied])
        #expect(replies.map(\.reply.error?.upstream?.code) == ["AUTH-1"])
    }

    @Test("A client that the tenant refuses is the caller's error, and nothing about the user.")
    func clientDenied() throws {
        var cache = Simulation(tenants: ["main": .provisioning()])
        #expect(cache.provision(request()) == nil)
        let replies = cache.fail(try cache.onlyMint(), .denied(.init(status: 401, code: "OAUTH-2")))
        #expect(replies.map(\.reply.error?.code) == [.denied])
        #expect(replies.map(\.reply.error?.upstream?.status) == [401])
        #expect(cache.ask(.of("ann")) == .wait)
    }

    @Test("An API in trouble delays no token, and a tenant that mints no tokens delays no call of the API.")
    func tiersAreApart() throws {
        var cache = try cache()
        #expect(cache.provision(request()) == nil)
        let (call, _) = try cache.onlyAPICall()
        let replies = cache.endAPI(call, .failed(.throttled(retryAfter: .seconds(60))))
        #expect(replies.map(\.reply.error?.code) == [.rateLimited])
        #expect(cache.provision(request("bob"))?.error?.code == .rateLimited)
        #expect(cache.ask(.of("ann")) == .wait)
        let mint = try cache.onlyMint()
        cache.advance(.seconds(70))
        cache.fail(mint, .throttled(retryAfter: .seconds(600)))
        #expect(cache.ask(.of("carol")).error?.code == .rateLimited)
        #expect(cache.provision(request("bob")) == nil)
        #expect(cache.apiCalls().count == 1)
    }

    @Test("The API has a circuit breaker of its own.")
    func circuit() throws {
        var cache = try cache()
        for index in 0..<5 {
            #expect(cache.provision(request("user\(index)")) == nil)
            let (call, _) = try cache.onlyAPICall()
            #expect(cache.endAPI(call, .failed(Self.unreachable)).map(\.reply.error?.code) == [.unavailable])
        }
        #expect(cache.takeNotices().contains { if case .apiCircuitOpened = $0 { true } else { false } })
        #expect(cache.provision(request("bob"), peer: 8)?.error?.code == nil)
        cache.advance(.seconds(70))
        #expect(cache.stats().tenants["main"]?.state == .closed)
        #expect(cache.ask(.of("ann")) == .wait)
        #expect(cache.mints().contains { $0.key == .of("ann") })
    }

    @Test("A hold of the API rejects callers who wait in vain, and not those of tokens.")
    func waitsInVain() throws {
        var cache = try cache(.provisioning(concurrent: 1))
        #expect(cache.provision(request("a")) == nil)
        #expect(cache.provision(request("b")) == nil)
        #expect(cache.ask(.of("ann")) == .wait)
        let orders = cache.orders()
        guard case .api(let call, _, _, _, _)? = orders.first else { return #expect(Bool(false), "\(orders)") }
        let replies = cache.endAPI(call, .failed(.throttled(retryAfter: .seconds(60))))
        #expect(replies.map(\.reply.error?.code) == [.rateLimited, .rateLimited])
        #expect(replies.allSatisfy { ($0.reply.error?.retryAfter ?? 0) >= 60 })
        #expect(cache.stats().uids[7]?.waiting == 1)
    }

    @Test("Calls of the API stay within its rate, and the peers take turns.")
    func paced() throws {
        var cache = try cache(.provisioning(apiRate: 60, apiBurst: 2))
        for index in 0..<4 { #expect(cache.provision(request("a\(index)"), peer: 7) == nil) }
        #expect(cache.provision(request("b"), peer: 8) == nil)
        #expect(cache.apiCalls().count == 1)
        cache.advance(.seconds(1))
        cache.advance(.seconds(1))
        let subjects = cache.apiCalls().map(\.call)
        #expect(subjects.contains(.findUsers(subject: Array("b".utf8), page: nil)))
        #expect(subjects.count == 2)
        #expect(cache.provision(request("late", timeout: .seconds(1)))?.error?.code == .rateLimited)
    }

    @Test("A caller who times out is told so, and what has been begun is completed.")
    func timesOut() throws {
        var cache = try cache()
        #expect(cache.provision(request(groups: ["portal-a"])) == nil)
        let (find, _) = try cache.onlyAPICall()
        cache.endAPI(find, .users([], next: nil))
        let (create, _) = try cache.onlyAPICall()
        #expect(cache.advance(.seconds(10)).map(\.reply.error?.code) == [.timeout])
        cache.endAPI(create, .created(user()))
        let (change, _) = try cache.onlyAPICall()
        cache.endAPI(change, .done)
        let (compare, _) = try cache.onlyAPICall()
        cache.endAPI(compare, .users([user(groups: ["portal-a"])], next: nil))
        #expect(cache.provision(request(groups: ["portal-a"])) == reply(cached: true))
    }

    @Test("A provision that nobody waits for and that has changed nothing ends.")
    func unwanted() throws {
        var cache = try cache()
        let waiter = cache.newWaiter()
        #expect(cache.provision(request(), as: waiter) == nil)
        let (find, _) = try cache.onlyAPICall()
        cache.cancelWaits(of: [waiter])
        cache.endAPI(find, .users([], next: nil))
        #expect(cache.orders().isEmpty)
        #expect(cache.machine.provisioning.count == 0)
        #expect(cache.machine.calls.count == 0)
        #expect(steps(cache).isEmpty)
    }

    @Test("After a provision the user's remembered refusal is forgotten, and a denied mint forgets the provision.")
    func refusals() throws {
        var cache = try cache()
        #expect(cache.ask(.of("ann")) == .wait)
        cache.fail(try cache.onlyMint(), .denied(.init(status: 403)))
        #expect(cache.ask(.of("ann")).error?.code == .denied)
        #expect(cache.provision(request()) == nil)
        let (find, _) = try cache.onlyAPICall()
        cache.endAPI(find, .users([user()], next: nil))
        #expect(cache.ask(.of("ann")) == .wait)
        cache.fail(try cache.onlyMint(), .denied(.init(status: 403)))
        #expect(cache.provision(request()) == nil)
    }

    @Test("A mint that is denied to a user whom the daemon has just created is tried again while a caller waits.")
    func newUser() throws {
        var cache = try cache()
        #expect(cache.provision(request()) == nil)
        let (find, _) = try cache.onlyAPICall()
        cache.endAPI(find, .users([], next: nil))
        let (create, _) = try cache.onlyAPICall()
        cache.endAPI(create, .created(user()))
        #expect(cache.ask(.of("ann"), timeout: .seconds(30)) == .wait)
        var tries = 0
        for _ in 0..<5 {
            let mint = try cache.onlyMint()
            tries += 1
            #expect(cache.fail(mint, .denied(.init(status: 404))).isEmpty)
            #expect(cache.mints().isEmpty)
            cache.advance(.seconds(1))
        }
        #expect(cache.succeed(try cache.onlyMint()).first?.reply.token != nil)
        #expect(tries == 5)
        // Later a denial is one.
        cache.advance(.seconds(10))
        cache.evict(TokenKey.of("ann").user)
        #expect(cache.ask(.of("ann")) == .wait)
        #expect(cache.fail(try cache.onlyMint(), .denied(.init(status: 404))).map(\.reply.error?.code) == [.denied])
    }

    @Test("A new user's denied mint ends when its caller leaves during the pause.")
    func newUserLeaves() throws {
        var cache = try cache()
        #expect(cache.provision(request()) == nil)
        cache.endAPI(try cache.onlyAPICall().0, .users([], next: nil))
        cache.endAPI(try cache.onlyAPICall().0, .created(user()))
        let waiter = cache.newWaiter()
        #expect(cache.ask(.of("ann"), as: waiter) == .wait)
        cache.fail(try cache.onlyMint(), .denied(.init(status: 404)))
        cache.cancelWaits(of: [waiter])
        cache.advance(.seconds(2))
        #expect(cache.orders().isEmpty)
        #expect(cache.machine.calls.count == 0)
    }

    @Test("A reload that changes the rules ends what waits and forgets what is remembered.")
    func reload() throws {
        var cache = try cache(.provisioning(concurrent: 1))
        #expect(cache.provision(request("remembered")) == nil)
        cache.endAPI(try cache.onlyAPICall().0, .users([user("remembered")], next: nil))
        #expect(cache.provision(request("a")) == nil)
        #expect(cache.provision(request("b")) == nil)
        let (find, _) = try cache.onlyAPICall()
        cache.reconfigure(tenants: ["main": .provisioning(groups: ["other-*"], concurrent: 1)])
        // The call under way ends, and nothing follows under the old rules.
        let replies = cache.endAPI(find, .users([], next: nil))
        #expect(replies.map(\.reply.error?.code) == [.forbidden, .forbidden])
        #expect(cache.provision(request("remembered")) == nil)
        #expect(cache.apiCalls().count == 1)
    }

    @Test("A tenant that a reload removes leaves no caller waiting, and no job.")
    func retired() throws {
        var cache = try cache(.provisioning(concurrent: 1))
        for index in 0..<3 { #expect(cache.provision(request("user\(index)")) == nil) }
        let (find, _) = try cache.onlyAPICall()
        let replies = cache.reconfigure(tenants: [:])
        #expect(replies.count == 2)
        #expect(cache.endAPI(find, .users([], next: nil)).count == 1)
        #expect(cache.machine.provisioning.count == 0)
        #expect(cache.orders().isEmpty)
        #expect(cache.machine.tenants.isEmpty)
    }

    @Test("An evicted or flushed user is forgotten, also while being provisioned.")
    func forgotten() throws {
        for flushes in [false, true] {
            var cache = try cache()
            #expect(cache.provision(request()) == nil)
            let (find, _) = try cache.onlyAPICall()
            if flushes { _ = cache.flush() } else { cache.evict(TokenKey.of("ann").user) }
            #expect(cache.endAPI(find, .users([user()], next: nil)).map(\.reply) == [reply()])
            #expect(cache.provision(request()) == nil)
        }
    }

    @Test("Provisions have a share of the waiting requests, and another uid always finds room.")
    func quota() throws {
        var cache = try cache(.provisioning(apiRate: 1_000_000, apiBurst: 1_000_000))
        var accepted = 0
        for index in 0..<Provisioning.maxJobs where cache.provision(request("u\(index)"), peer: 7) == nil {
            accepted += 1
        }
        #expect(accepted == Provisioning.maxJobs / 2)
        #expect(cache.provision(request("other"), peer: 8) == nil)
    }

    @Test("A user has a bounded number of provisions that wait for their turn.")
    func boundedPerUser() throws {
        var cache = try cache()
        let share = Provisioning.maxJobsPerUser / 2
        for peer in [PeerUID(7), 8] {
            let codes = (0...share).map {
                cache.provision(request(groups: ["portal-\(peer)-\($0)"]), peer: peer)?.error?.code
            }
            #expect(codes.compactMap(\.self) == [.overloaded], "one uid has half of them")
        }
        #expect(cache.provision(request(groups: ["portal-x"]), peer: 9)?.error?.code == .overloaded)
    }

    @Test("When the daemon ends, everybody is answered, and what was begun is in the audit trail.")
    func shutDown() throws {
        var cache = try cache()
        #expect(cache.provision(request()) == nil)
        let (find, _) = try cache.onlyAPICall()
        cache.endAPI(find, .users([], next: nil))
        _ = try cache.onlyAPICall()
        cache.shutDown()
        #expect(cache.takeDeliveries().map(\.reply.error?.code) == [.shuttingDown])
        #expect(steps(cache) == [.failed(AuditRecord.Failure(.shuttingDown))])
        #expect(cache.machine.provisioning.count == 0)
    }

    @Test("A user who waits for a provision doesn't hold up refreshes.")
    func refreshes() throws {
        var cache = try cache()
        #expect(cache.provision(request()) == nil)
        #expect(cache.machine.waiters.count == 1)
        #expect(cache.machine.waiters.count(for: "main") == 0)
    }

    // MARK: Revocations everywhere

    @Test(
        "A logout everywhere revokes the cached tokens and those of the tenant's list, and answers when both are done."
    )
    func everywhere() throws {
        var cache = try cache()
        try cache.warm(.of("ann"))
        let waiter = cache.newWaiter()
        #expect(cache.revokeEverywhere(TokenKey.of("ann").user, as: waiter) == nil)
        let orders = cache.orders()
        let revocation = orders.compactMap { if case .revoke(let call, _, _, _) = $0 { call } else { nil } }
        let find = orders.compactMap { if case .api(let call, _, _, _, _) = $0 { call } else { nil } }
        #expect(revocation.count == 1)
        #expect(cache.endRevocation(revocation[0], .accepted).isEmpty)
        cache.endAPI(try #require(find.first), .users([user()], next: nil))
        cache.endAPI(try cache.onlyAPICall().0, .tokens(["a", "b"], next: nil))
        cache.endAPI(try cache.onlyAPICall().0, .done)
        let replies = cache.endAPI(try cache.onlyAPICall().0, .done)
        #expect(replies == [Delivery(waiter: waiter, reply: .revokedEverywhere(true, upstream: true, count: 2))])
        let records = cache.records.compactMap { record in
            if case .revokeEverywhere(_, let count, let failure) = record.act { (count, failure?.code) } else { nil }
        }
        #expect(records.map(\.0) == [2])
        #expect(records.map(\.1) == [nil])
    }

    @Test("A logout everywhere that times out says how many were revoked, and goes on.")
    func everywhereTimesOut() throws {
        var cache = try cache()
        let user = UserKey(tenant: "main", user: UserLookup(field: .userID, value: "1"))
        #expect(cache.revokeEverywhere(user) == nil)
        cache.endAPI(try cache.onlyAPICall().0, .tokens(["a", "b", "c"], next: nil))
        cache.endAPI(try cache.onlyAPICall().0, .done)
        let (second, _) = try cache.onlyAPICall()
        let replies = cache.advance(TokenRequest.defaultTimeout)
        #expect(replies.map(\.reply) == [.revokedEverywhere(false, upstream: false, count: 1)])
        cache.endAPI(second, .done)
        #expect(try cache.onlyAPICall().1 == .revokeToken("a"))
    }

    @Test("Without a client for it, and for a client's own tokens, a logout everywhere is refused and does nothing.")
    func everywhereForbidden() throws {
        var none = Simulation()
        try none.warm(.of("ann"))
        #expect(none.revokeEverywhere(TokenKey.of("ann").user)?.error?.code == .forbidden)
        #expect(none.ask(.of("ann")).served != nil)
        var cache = try cache()
        let client = UserKey(tenant: "main", client: "users")
        #expect(cache.revokeEverywhere(client)?.error?.code == .invalidRequest)
    }

    @Test("An API in trouble leaves a logout incomplete, and the cached tokens are revoked all the same.")
    func everywhereFails() throws {
        var cache = try cache()
        try cache.warm(.of("ann"))
        #expect(cache.revokeEverywhere(TokenKey.of("ann").user) == nil)
        let orders = cache.orders()
        for order in orders {
            if case .api(let call, _, _, _, _) = order { cache.endAPI(call, .failed(Self.unreachable)) }
        }
        for order in orders {
            guard case .revoke(let call, _, _, _) = order else { continue }
            let replies = cache.endRevocation(call, .accepted)
            #expect(replies.map(\.reply) == [.revokedEverywhere(true, upstream: false, count: 0)])
        }
        #expect(cache.machine.waiters.count == 0)
    }

    @Test("A logout everywhere that has not listed the tokens in time is given up, as it would end a new login.")
    func everywhereTooLate() throws {
        var cache = try cache()
        let user = TokenKey.of("ann").user
        #expect(cache.provision(request("other", timeout: .seconds(300))) == nil)
        let (other, _) = try cache.onlyAPICall()
        #expect(cache.revokeEverywhere(user) == nil)
        let (find, _) = try cache.onlyAPICall()
        cache.endAPI(other, .failed(.throttled(retryAfter: .seconds(60))))
        let replies = cache.endAPI(find, .users([self.user()], next: nil)) + cache.advance(TokenRequest.defaultTimeout)
        #expect(replies.map(\.reply).contains(.revokedEverywhere(false, upstream: false, count: 0)))
        #expect(cache.machine.provisioning.count == 0)
        cache.advance(.seconds(120))
        #expect(cache.orders().isEmpty)
    }

    @Test("A token that a login caches during a logout everywhere is dropped with those of the list, by any name.")
    func everywhereDropsLaterTokens() throws {
        var cache = try cache()
        #expect(cache.revokeEverywhere(TokenKey.of("ann").user) == nil)
        let (find, _) = try cache.onlyAPICall()
        let byID = TokenKey(
            user: UserKey(tenant: "main", user: UserLookup(field: .userID, value: "1")),
            scopes: TokenKey.of("ann").scopes
        )
        try cache.warm(.of("ann"))
        try cache.warm(byID)
        cache.endAPI(find, .users([user()], next: nil))
        cache.endAPI(try cache.onlyAPICall().0, .tokens(["a", "b"], next: nil))
        #expect(cache.ask(.of("ann")) == .wait)
        #expect(cache.ask(byID) == .wait)
    }

    @Test("A provision that fails leaves nothing of an earlier one to be answered from.")
    func failureForgets() throws {
        var cache = try cache()
        #expect(cache.provision(request(groups: [])) == nil)
        cache.endAPI(try cache.onlyAPICall().0, .users([user()], next: nil))
        #expect(cache.provision(request(groups: [])) == reply(cached: true))
        #expect(cache.provision(request(groups: ["portal-a"])) == nil)
        cache.endAPI(try cache.onlyAPICall().0, .failed(Self.unreachable))
        #expect(cache.provision(request(groups: [])) == nil)
    }

    @Test("Requests of one user take effect in their order, also if the last one is like the first.")
    func order() throws {
        var cache = try cache()
        for groups in [[], ["portal-a"], []] { #expect(cache.provision(request(groups: groups)) == nil) }
        #expect(cache.machine.provisioning.count == 3)
        #expect(cache.provision(request(groups: [])) == nil)
        #expect(cache.machine.provisioning.count == 3, "only the last one is shared")
    }
}
