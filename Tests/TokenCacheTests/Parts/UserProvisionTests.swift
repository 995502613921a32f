import Testing
import TokenProtocol

@testable import TokenCache

@Suite("The decisions of a provision")
struct UserProvisionTests {
    private static let policy = ProvisioningPolicy(client: "users", groups: [Glob("portal-*")])
    private static let find = APICall.findUsers(subject: Array("ann".utf8), page: nil)

    private func provision(groups: [String]? = nil) -> UserProvision {
        let request = ProvisionRequest(subject: Array("ann".utf8), name: "Ann", email: "ann@example", groups: groups)
        return UserProvision(request, Self.policy)
    }

    private func user(
        _ subject: String = "ann",
        id: String = "1",
        status: String = "active",
        groups: [String] = []
    ) -> TenantUser {
        TenantUser(
            id: id,
            subject: Array(subject.utf8),
            status: status,
            groups: groups.map { TenantUser.Group(id: "id-\($0)", name: $0, providerType: "custom") }
        )
    }

    private func done(created: Bool = false, changed: Bool = false, status: String = "active") -> UserProvision.Step {
        .done(ProvisionReply(userID: "1", status: status, isCreated: created, hasChangedGroups: changed))
    }

    private func code(_ step: UserProvision.Step) -> ErrorReply.Code? {
        if case .failed(let error) = step { error.code } else { nil }
    }

    @Test("The user whose subject has the very same bytes is found, whatever else the tenant finds.")
    func exactMatch() {
        var provision = provision()
        #expect(provision.firstCall == Self.find)
        let others = [user("Ann", id: "7"), user("ANN", id: "8"), user(), user("ann ", id: "9")]
        #expect(provision.answered(.users(others, next: nil)) == done())
        #expect(provision.takeRecords().isEmpty)
    }

    @Test("A subject that differs only in its Unicode composition is another user.")
    func composition() {
        let request = ProvisionRequest(subject: Array("jos\u{e9}".utf8))
        var provision = UserProvision(request, Self.policy)
        let step = provision.answered(.users([user("jose\u{301}")], next: nil))
        let created = NewUser(subject: Array("jos\u{e9}".utf8), name: nil, email: nil)
        #expect(step == .call(.createUser(created)))
    }

    @Test("A user on a later page is found, and a tenant that gives ever more pages is an error.")
    func pages() {
        var provision = provision()
        let next = provision.answered(.users([user("Ann", id: "7")], next: "p2"))
        #expect(next == .call(.findUsers(subject: Array("ann".utf8), page: "p2")))
        #expect(provision.answered(.users([user()], next: nil)) == done())

        var endless = self.provision()
        var steps = 0
        while case .call = endless.answered(.users([], next: "again")), steps < 100 { steps += 1 }
        #expect(steps == SubjectMatches.maxPages)
    }

    @Test("Several users with the very same subject are a conflict, unless all but one are deleted.")
    func several() {
        var provision = provision()
        let two = [user(), user(id: "2")]
        #expect(code(provision.answered(.users(two, next: nil))) == .conflict)
        var revived = self.provision()
        #expect(revived.answered(.users([user(id: "0", status: "deleted"), user()], next: nil)) == done())
        // One user on two pages is one.
        var repeated = self.provision()
        _ = repeated.answered(.users([user()], next: "p2"))
        #expect(repeated.answered(.users([user()], next: nil)) == done())
    }

    @Test("A disabled or deleted user is denied, and nothing is done.", arguments: ["disabled", "deleted"])
    func refused(status: String) {
        var provision = provision(groups: ["portal-a"])
        guard case .failed(let error) = provision.answered(.users([user(status: status)], next: nil)) else {
            return #expect(Bool(false))
        }
        #expect(error.code == .denied)
        #expect(error.cause == status)
        #expect(!provision.hasChangedTenant)
    }

    @Test("A status that the daemon doesn't know is no permission.")
    func unknownStatus() {
        var provision = provision(groups: ["portal-a"])
        #expect(code(provision.answered(.users([user(status: "frozen")], next: nil))) == .badUpstream)
    }

    @Test("A missing user is created with name and e-mail address, and put into groups.")
    func creates() {
        var provision = provision(groups: ["portal-a"])
        let new = NewUser(subject: Array("ann".utf8), name: "Ann", email: "ann@example")
        #expect(provision.answered(.users([user("Ann", id: "7")], next: nil)) == .call(.createUser(new)))
        #expect(provision.changesTenant)
        let add = GroupChange.edit(adding: ["portal-a"], removing: [])
        #expect(provision.answered(.created(user())) == .call(.changeGroups(userID: "1", add)))
        #expect(provision.takeRecords() == [.created])
        #expect(provision.answered(.done) == .call(Self.find))
        #expect(provision.takeRecords() == [.groupsChanged(added: ["portal-a"], removed: [])])
        #expect(
            provision.answered(.users([user(groups: ["portal-a"])], next: nil)) == done(created: true)
        )
    }

    @Test("If somebody else was faster, their user is the one.", arguments: [400, 409])
    func race(status: Int) {
        var provision = provision()
        _ = provision.answered(.users([], next: nil))
        #expect(provision.answered(.refused(.init(status: status))) == .call(Self.find))
        #expect(provision.answered(.users([user()], next: nil)) == done())
        #expect(!provision.hasChangedTenant)
    }

    @Test("A refused creation is denied, or a conflict if the tenant says that the user is there.")
    func refusedCreation() {
        for (status, expected) in [(400, ErrorReply.Code.denied), (409, .conflict)] {
            var provision = provision()
            _ = provision.answered(.users([], next: nil))
            _ = provision.answered(.refused(.init(status: status)))
            #expect(code(provision.answered(.users([user("Ann")], next: nil))) == expected)
        }
        var forbidden = provision()
        _ = forbidden.answered(.users([], next: nil))
        let upstream = ErrorReply.Upstream(status: 403, code: "AUTH-1", title: "no")
        #expect(forbidden.answered(.refused(upstream)) == .failed(.denied(upstream, retryAfter: nil)))
    }

    @Test("A user with another subject than the requested one is an error, and the creation is recorded.")
    func otherSubject() {
        var provision = provision(groups: ["portal-a"])
        _ = provision.answered(.users([], next: nil))
        #expect(code(provision.answered(.created(user("Ann", id: "7")))) == .badUpstream)
        #expect(provision.takeRecords() == [.created])
        #expect(provision.userID == "7")
    }

    @Test(
        "Groups that the patterns cover and that aren't named are removed; others stay; none is touched without names."
    )
    func groups() {
        let before = user(groups: ["portal-a", "portal-b", "staff"])
        var provision = provision(groups: ["portal-b", "portal-c"])
        let edit = GroupChange.edit(
            adding: ["portal-c"],
            removing: [TenantUser.Group(id: "id-portal-a", name: "portal-a", providerType: "custom")]
        )
        #expect(provision.answered(.users([before], next: nil)) == .call(.changeGroups(userID: "1", edit)))
        var untouched = self.provision()
        #expect(untouched.answered(.users([before], next: nil)) == done())
        var equal = self.provision(groups: ["portal-b", "portal-a"])
        #expect(equal.answered(.users([before], next: nil)) == done())
    }

    @Test("A tenant that refuses an edit gets the whole list, with the groups outside the patterns as they are now.")
    func replaces() {
        var provision = provision(groups: ["portal-a"])
        _ = provision.answered(.users([user(groups: ["staff"])], next: nil))
        #expect(provision.answered(.refused(.init(status: 400))) == .call(Self.find))
        let now = user(groups: ["staff", "board"])
        let list = now.groups + [TenantUser.Group(name: "portal-a", providerType: "custom")]
        #expect(
            provision.answered(.users([now], next: nil)) == .call(.changeGroups(userID: "1", .replace(list)))
        )
        #expect(provision.answered(.done) == .call(Self.find))
        let after = user(groups: ["staff", "board", "portal-a"])
        #expect(provision.answered(.users([after], next: nil)) == done(changed: true))
    }

    @Test("A change that is half applied is made once more as a whole, and is then an error.")
    func halfApplied() {
        var provision = provision(groups: ["portal-a", "portal-b"])
        _ = provision.answered(.users([user()], next: nil))
        _ = provision.answered(.done)
        let half = user(groups: ["portal-a"])
        let list = half.groups + [TenantUser.Group(name: "portal-b", providerType: "custom")]
        #expect(provision.answered(.users([half], next: nil)) == .call(.changeGroups(userID: "1", .replace(list))))
        _ = provision.answered(.done)
        #expect(code(provision.answered(.users([half], next: nil))) == .badUpstream)
        #expect(provision.hasChangedTenant)
    }

    @Test("What the tenant has done of a change that it refused is told and recorded.")
    func halfRefused() {
        var provision = provision(groups: ["portal-a", "portal-b"])
        _ = provision.answered(.users([user(groups: ["portal-c"])], next: nil))
        #expect(provision.answered(.refused(.init(status: 400))) == .call(Self.find))
        let half = user(groups: ["portal-a", "portal-c"])
        _ = provision.answered(.users([half], next: nil))
        #expect(provision.takeRecords() == [.groupsChanged(added: ["portal-a"], removed: [])])
        #expect(provision.hasChangedTenant)
        let whole = user(groups: ["portal-a", "portal-b"])
        var applied = self.provision(groups: ["portal-a", "portal-b"])
        _ = applied.answered(.users([user()], next: nil))
        _ = applied.answered(.refused(.init(status: 400)))
        #expect(applied.answered(.users([whole], next: nil)) == done(changed: true))
    }

    @Test("A user who was created and put into groups is there, though the tenant's search doesn't find it yet.")
    func searchLags() {
        var provision = provision(groups: ["portal-a"])
        _ = provision.answered(.users([], next: nil))
        _ = provision.answered(.created(user()))
        #expect(provision.answered(.done) == .call(Self.find))
        #expect(provision.answered(.users([], next: nil)) == done(created: true))
    }

    @Test("A creation without an answer that was made all the same is told and recorded.")
    func lostCreation() {
        var provision = provision()
        _ = provision.answered(.users([], next: nil))
        #expect(provision.answered(.failed(.unavailable("lost"))) == .call(Self.find))
        #expect(provision.answered(.users([user()], next: nil)) == done(created: true))
        #expect(provision.takeRecords() == [.created])
        var other = self.provision()
        _ = other.answered(.users([], next: nil))
        _ = other.answered(.failed(.unavailable("lost")))
        #expect(other.answered(.users([], next: nil)) == .callFailed(.unavailable("lost")))
    }

    @Test("A change without an answer is told and recorded as far as it was made.")
    func lostChange() {
        var provision = provision(groups: ["portal-a", "portal-b"])
        _ = provision.answered(.users([user()], next: nil))
        #expect(provision.answered(.failed(.unavailable("lost"))) == .call(Self.find))
        #expect(
            provision.answered(.users([user(groups: ["portal-a"])], next: nil)) == .callFailed(.unavailable("lost"))
        )
        #expect(provision.takeRecords() == [.groupsChanged(added: ["portal-a"], removed: [])])
        var whole = self.provision(groups: ["portal-a"])
        _ = whole.answered(.users([user()], next: nil))
        _ = whole.answered(.failed(.unavailable("lost")))
        #expect(whole.answered(.users([user(groups: ["portal-a"])], next: nil)) == done(changed: true))
    }

    @Test("Two contents are the same only if all of their texts have the same bytes.")
    func contents() {
        func content(_ name: String?, _ email: String?, _ groups: [String]?) -> ProvisionContent {
            ProvisionContent(ProvisionRequest(subject: Array("ann".utf8), name: name, email: email, groups: groups))
        }
        #expect(content("a", "b", ["g", "h"]) == content("a", "b", ["h", "g"]))
        let all = [
            content("a", "b", ["g"]), content("ab", nil, ["g"]), content(nil, "ab", ["g"]), content("a", "b", nil),
            content("a", "b", []), content("a", "b", ["g", "h"]), content("a", "b", ["gh"]),
            content("\u{e9}", "b", ["g"]), content("e\u{301}", "b", ["g"]), content("a", "b", ["\u{e9}"]),
            content("a", "b", ["e\u{301}"]),
        ]
        for (index, one) in all.enumerated() {
            #expect(all.indices.filter { all[$0] == one } == [index])
        }
    }

    @Test("A user who was disabled or replaced in between is not touched any more.")
    func changedMeanwhile() {
        for other in [user(status: "disabled"), user(id: "2")] {
            var provision = provision(groups: ["portal-a"])
            _ = provision.answered(.users([user()], next: nil))
            _ = provision.answered(.refused(.init(status: 400)))
            let step = provision.answered(.users([other], next: nil))
            #expect(code(step) == (other.id == "1" ? .denied : .unavailable))
        }
    }

    @Test("An answer that belongs to another call is an error.")
    func unexpected() {
        var provision = provision()
        #expect(code(provision.answered(.done)) == .badUpstream)
        #expect(code(provision.answered(.tokens(["1"], next: nil))) == .badUpstream)
        #expect(code(provision.answered(.created(user()))) == .badUpstream)
    }
}
