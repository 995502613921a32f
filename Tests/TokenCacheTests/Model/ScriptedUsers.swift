import TestSupport
import TokenProtocol

@testable import TokenCache

/// The users of a tenant whose API plays random tricks: it compares without regard to case, and is raced by others.
struct ScriptedUsers {
    /// The users by their ids.
    private(set) var users: [String: TenantUser] = [:]
    /// The live tokens by user.
    private(set) var tokens: [String: [String]] = [:]
    /// True if calls only succeed.
    var isWell = false
    /// The number of creations that a caller was told of.
    private(set) var creations = 0
    /// The number of creations that got no good answer, which may have been made or not.
    private(set) var doubtfulCreations = 0
    private var lastNumber = 0

    private mutating func newID() -> String {
        lastNumber += 1
        return "id-\(lastNumber)"
    }

    // MARK: Others

    /// Does something that another administrator does.
    mutating func meddle(subjects: [String], _ random: inout SeededRandom) {
        let ids = users.keys.sorted()
        let id = ids.randomElement(using: &random)
        switch Int.random(in: 0..<6, using: &random) {
        case 0: add(subjects.randomElement(using: &random) ?? "", &random)
        case 1: id.map { users[$0]?.status = "disabled" }
        case 2: id.map { users[$0]?.status = "deleted" }
        case 3: id.map { users[$0]?.groups.append(.init(name: "staff", providerType: "custom")) }
        case 4: id.map { tokens[$0, default: []].append("\($0)-token-\(lastNumber)") }
        default: if let id { users[id] = nil }
        }
    }

    private mutating func add(_ subject: String, _ random: inout SeededRandom) {
        let id = newID()
        users[id] = TenantUser(id: id, subject: Array(subject.utf8), status: "active")
        if Bool.random(using: &random) { users[id]?.groups = [.init(name: "staff"), .init(name: "portal-x")] }
    }

    // MARK: Calls

    /// Performs a call, or fails to.
    mutating func perform(_ call: APICall, _ random: inout SeededRandom) -> APIOutcome {
        if !isWell, let failure = failure(&random) {
            if case .createUser = call { doubtfulCreations += 1 }
            return failure
        }
        switch call {
        case .findUsers(let subject, let page): return find(subject, page, &random)
        case .createUser(let user): return create(user, &random)
        case .changeGroups(let id, let change): return self.change(id, change, &random)
        case .listTokens(let id, _): return .tokens(tokens[id] ?? [], next: nil)
        case .revokeToken(let token): return revoke(token)
        }
    }

    private func failure(_ random: inout SeededRandom) -> APIOutcome? {
        switch Int.random(in: 0..<40, using: &random) {
        case 0: .failed(.throttled(retryAfter: .seconds(Int.random(in: 1...30, using: &random))))
        case 1, 2: .failed(.unavailable("it is down"))
        case 3: .failed(.malformed("it is malformed"))
        case 4: .refused(.init(status: 401))
        case 5: .refused(.init(status: 403))
        default: nil
        }
    }

    private func find(_ subject: [UInt8], _ page: String?, _ random: inout SeededRandom) -> APIOutcome {
        let text = String(decoding: subject, as: UTF8.self).lowercased()
        let found = users.values.sorted { $0.id < $1.id }
            .filter { String(decoding: $0.subject, as: UTF8.self).lowercased() == text }
        let start = page.flatMap { Int($0) } ?? 0
        let end = min(found.count, start + Int.random(in: 1...3, using: &random))
        return .users(Array(found[min(start, end)..<end]), next: end < found.count ? String(end) : nil)
    }

    private mutating func create(_ user: NewUser, _ random: inout SeededRandom) -> APIOutcome {
        let subject = String(decoding: user.subject, as: UTF8.self)
        if !isWell, Int.random(in: 0..<4, using: &random) == 0 { add(subject, &random) }
        let isThere = users.values.contains { $0.subject == user.subject && $0.status != "deleted" }
        guard !isThere else { return .refused(.init(status: Bool.random(using: &random) ? 400 : 409)) }
        let id = newID()
        let created = TenantUser(id: id, subject: user.subject, status: "active")
        users[id] = created
        // The answer may be lost on its way.
        if !isWell, Int.random(in: 0..<8, using: &random) == 0 {
            doubtfulCreations += 1
            return .failed(.unavailable("the answer was lost"))
        }
        creations += 1
        return .created(created)
    }

    private mutating func change(_ id: String, _ change: GroupChange, _ random: inout SeededRandom) -> APIOutcome {
        guard users[id] != nil else { return .refused(.init(status: 404)) }
        switch change {
        case .replace(let groups): users[id]?.groups = groups
        case .edit(let adding, let removing):
            if !isWell, Int.random(in: 0..<3, using: &random) == 0 { return .refused(.init(status: 400)) }
            users[id]?.groups.removeAll { group in removing.contains { $0.name == group.name } }
            // A patch may be half applied.
            if !isWell, Int.random(in: 0..<4, using: &random) == 0 { return .done }
            users[id]?.groups += adding.map { .init(name: $0, providerType: "custom") }
        }
        return .done
    }

    private mutating func revoke(_ token: String) -> APIOutcome {
        for id in tokens.keys where tokens[id]?.contains(token) == true {
            tokens[id]?.removeAll { $0 == token }
            return .done
        }
        return .refused(.init(status: 404))
    }
}
