import FoundationEssentials

extension StandInTenant {
    /// All users in the order of their creation, deleted ones included.
    package var users: [User] { machine.users.entries.map(\.user) }

    /// Adds a user, also one whose subject another one has, and returns the id.
    @discardableResult
    package func addUser(_ user: User) throws -> String {
        guard machine.users[user.id] == nil else { throw Fault("the id \(user.id) is taken") }
        return machine.users.add(user, at: .now, listedAfter: .zero, usableAfter: .zero)
    }

    /// Changes a user, whose id and subject stay.
    package func changeUser(_ id: String, _ change: @Sendable (inout User) throws -> Void) throws {
        guard var user = machine.users[id]?.user else { throw Fault("there is no user \(id)") }
        try change(&user)
        _ = machine.users.change(id) { $0 = user }
    }

    /// Lets every created user be listed and impersonated at once.
    package func settleUsers() { machine.users.settle() }

    /// Decides whose tokens can be had, and the status for a user who doesn't exist.
    package func setUsers(_ users: Users, unknownStatus: Int = 401) {
        (machine.rules.isStrict, machine.rules.unknownStatus) = (users == .strict, unknownStatus)
    }

    /// Sets the status of a creation whose subject exists, and the subjects that count as the same.
    package func setExistingUsers(status: Int, ignoringCase: Bool = false) {
        (machine.rules.existingStatus, machine.rules.ignoresCase) = (status, ignoringCase)
    }

    /// Sets the times until a created user is in lists and can be impersonated.
    package func setNewUsers(listedAfter: Duration = .zero, usableAfter: Duration = .zero) {
        (machine.rules.listedAfter, machine.rules.usableAfter) = (listedAfter, usableAfter)
    }

    /// The number of a user's live tokens.
    package func liveTokenCount(ofUser id: String) -> Int {
        machine.users[id].map { entry in machine.tokens.live(of: entry.user, at: .now).count } ?? 0
    }
}

extension StandInTenant {
    /// Sets the script of an operation of the API.
    package func setBehaviour(_ script: String, for operation: Operation) throws {
        machine.scripts.set(try BehaviourTable.script(ofOperation: script), for: operation)
    }

    /// Returns the number of calls of an operation of the API.
    package func callCount(_ operation: Operation) -> Int { counters.operations[operation, default: 0] }

    /// Sets the limit on calls of the API, with a full bucket, or switches it off.
    package func setAPIRateLimit(_ limit: RateLimit?) { machine.setLimit(limit, of: .api, at: .now) }

    /// Sets the form of the links to the next page.
    package func setNextLinks(_ links: NextLinks) { machine.nextLinks = links }

    /// Sets the further clients.
    package func setClients(_ clients: [Client]) throws { try machine.clients.set(clients) }

    /// Holds all further replies of an operation of the API.
    package func holdReplies(for operation: Operation) { machine.held.hold(operation) }
}
