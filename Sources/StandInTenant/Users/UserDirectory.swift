import FoundationEssentials

/// The tenant's users, in the order of their creation, and the groups that exist.
struct UserDirectory: Sendable {
    /// A user with what only the tenant knows.
    struct Entry: Sendable {
        var user: StandInTenant.User
        let created: Date
        /// The time from which lists contain the user.
        fileprivate(set) var listedFrom = Date.distantPast
        /// The time from which the user can be impersonated.
        fileprivate(set) var usableFrom = Date.distantPast
    }

    private(set) var entries: [Entry] = []
    /// The groups that were ever assigned, in that order, each with its id.
    private(set) var groups: [(id: String, group: StandInTenant.User.Group)] = []
    private var indexByID: [String: Int] = [:]
    private var indicesBySubject: [String: [Int]] = [:]
    private var groupIDs: [StandInTenant.User.Group: String] = [:]

    /// The entry of an id.
    subscript(id: String) -> Entry? { indexByID[id].map { index in entries[index] } }

    /// The entries with a subject, byte for byte or without regard to upper and lower case.
    func entries(withSubject subject: String, ignoringCase: Bool = false) -> [Entry] {
        indicesBySubject[subject.lowercased(), default: []].map { index in entries[index] }
            .filter { entry in ignoringCase || entry.user.subject.utf8.elementsEqual(subject.utf8) }
    }

    /// The entries of the users whom a key names.
    func entries(of key: StandInTenant.MintKey) -> [Entry] {
        switch key.field {
        case .subject: entries(withSubject: key.value)
        case .userID: self[key.value].map { entry in [entry] } ?? []
        case .client: []
        }
    }

    /// Adds a user, also one whose subject another one has, and returns the id.
    mutating func add(_ user: StandInTenant.User, at now: Date, listedAfter: Duration, usableAfter: Duration) -> String
    {
        var entry = Entry(user: user, created: now)
        if user.id.isEmpty { entry.user.id = Self.id("66a0", entries.count) }
        if listedAfter > .zero { entry.listedFrom = now.addingTimeInterval(listedAfter / .seconds(1)) }
        if usableAfter > .zero { entry.usableFrom = now.addingTimeInterval(usableAfter / .seconds(1)) }
        indexByID[entry.user.id] = entries.count
        indicesBySubject[user.subject.lowercased(), default: []].append(entries.count)
        entries.append(entry)
        register(user.groups)
        return entry.user.id
    }

    /// Changes a user, whose id and subject stay, and returns false if there is none.
    mutating func change(_ id: String, _ change: (inout StandInTenant.User) -> Void) -> Bool {
        guard let index = indexByID[id] else { return false }
        var user = entries[index].user
        change(&user)
        (user.id, user.subject) = (id, entries[index].user.subject)
        entries[index].user = user
        register(user.groups)
        return true
    }

    /// Lets every user be listed and impersonated at once.
    mutating func settle() {
        for index in entries.indices {
            entries[index].listedFrom = .distantPast
            entries[index].usableFrom = .distantPast
        }
    }

    /// The id of a group that was assigned.
    func groupID(_ group: StandInTenant.User.Group) -> String { groupIDs[group] ?? "" }

    private mutating func register(_ assigned: [StandInTenant.User.Group]) {
        for group in assigned where groupIDs[group] == nil {
            let id = Self.id("66b0", groups.count)
            groupIDs[group] = id
            groups.append((id, group))
        }
    }

    /// An id in the tenant's form, 24 hexadecimal digits.
    private static func id(_ prefix: String, _ number: Int) -> String {
        let digits = String(number + 1, radix: 16)
        return prefix + String(repeating: "0", count: max(0, 20 - digits.count)) + digits
    }
}
