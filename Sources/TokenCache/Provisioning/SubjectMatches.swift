/// The users of one subject, gathered from the pages of a search.
///
/// The tenant compares without regard to case. Here subjects are compared byte by byte.
struct SubjectMatches: Equatable {
    /// The maximum number of pages of one search.
    ///
    /// A search for one subject has one page. A tenant that gives ever more is malfunctioning.
    static let maxPages = 10
    /// The maximum number of users that are kept: two are too many already.
    private static let maxUsers = 16

    /// The users found.
    enum Result: Equatable {
        case none
        case one(TenantUser)
        case several
    }

    let subject: [UInt8]
    private(set) var pages = 0
    /// The users with the very subject, each once.
    private(set) var users: [TenantUser] = []

    init(of subject: [UInt8]) { self.subject = subject }

    /// Adds the users of a page, and returns false if there were too many pages before.
    mutating func add(_ page: [TenantUser]) -> Bool {
        pages += 1
        for user in page where user.subject == subject && users.count < Self.maxUsers {
            let isKnown = users.contains { $0.id.utf8.elementsEqual(user.id.utf8) }
            if !isKnown { users.append(user) }
        }
        return pages <= Self.maxPages
    }

    /// The user of the subject.
    ///
    /// A user who was deleted and is there anew counts once.
    var result: Result {
        let present = users.filter { $0.status != TenantUser.Status.deleted }
        switch present.count {
        case 0: return users.first.map(Result.one) ?? .none
        case 1: return .one(present[0])
        default: return .several
        }
    }
}
