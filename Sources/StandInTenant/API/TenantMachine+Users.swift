import FoundationEssentials

extension TenantMachine {
    /// The rules by which the tenant treats its users.
    struct UserRules: Sendable {
        /// True if only users that exist can be impersonated.
        var isStrict = false
        /// The status for a user who doesn't exist.
        var unknownStatus = 401
        /// The status of a creation whose subject exists.
        var existingStatus = 409
        /// True if a subject exists, too, that differs from another one only in upper and lower case.
        var ignoresCase = false
        /// The time until lists contain a created user.
        var listedAfter = Duration.zero
        /// The time until a created user can be impersonated.
        var usableAfter = Duration.zero
    }

    /// Creates a user, unless the subject exists.
    ///
    /// A deleted user's subject is free.
    mutating func createUser(_ new: NewUser, _ effect: Behaviour.Effect?, at now: Date) -> APIReply {
        if effect == .faster { _ = add(new, .active, at: now) }
        let existing = users.entries(withSubject: new.subject, ignoringCase: rules.ignoresCase)
        guard existing.allSatisfy({ $0.user.status == .deleted }) else {
            return .error(
                rules.existingStatus,
                code: "USERS-409",
                title: "User exists",
                detail: "the subject is in use"
            )
        }
        let id = add(new, effect == .invited || new.isInvited ? .invited : .active, at: now)
        guard let entry = users[id] else { return .missing("there is no user \(id)") }
        return .json(201, describe(entry, for: .administrator))
    }

    /// Returns a user.
    func readUser(_ id: String, for bearer: Bearer) -> APIReply {
        guard let entry = users[id], entry.user.status != .deleted,
            bearer.managesUsers || entry.user.status == .active
        else { return .missing("there is no user \(id)") }
        return .json(200, describe(entry, for: bearer))
    }

    /// Applies a patch, all of it or, by behaviour, only its first half.
    mutating func changeUser(_ id: String, _ patch: UserPatch, _ behaviour: Behaviour) -> APIReply {
        guard let entry = users[id], entry.user.status != .deleted else {
            return .missing("there is no user \(id)")
        }
        if behaviour.effect == .replaceOnly, !patch.changes.allSatisfy(\.isReplacement) {
            return .error(400, code: "USERS-400", title: "Unknown operation", detail: "only replace is supported")
        }
        let changes = behaviour.effect == .half ? patch.firstHalf : patch.changes
        _ = users.change(id) { user in
            for change in changes { change.apply(to: &user) }
        }
        return .empty(204)
    }

    /// The reply to a request for a user's token, if the user can't be impersonated.
    func impersonationDenial(of key: StandInTenant.MintKey, at now: Date) -> Behaviour? {
        guard rules.isStrict, key.field != .client else { return nil }
        let existing = users.entries(of: key).filter { entry in
            entry.user.status != .deleted && entry.usableFrom <= now
        }
        guard !existing.contains(where: { $0.user.status != .disabled }) else { return nil }
        return existing.isEmpty ? BehaviourTable.unknownUser(rules.unknownStatus) : BehaviourTable.userDisabled
    }

    private mutating func add(_ new: NewUser, _ status: StandInTenant.User.Status, at now: Date) -> String {
        let user = StandInTenant.User(subject: new.subject, name: new.name, email: new.email, status: status)
        return users.add(user, at: now, listedAfter: rules.listedAfter, usableAfter: rules.usableAfter)
    }
}
