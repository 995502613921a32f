import TokenProtocol

/// Decides which calls provision one user, and what their outcomes mean.
///
/// A user of the very subject is found, or created if there is none, and put into groups. After a change the user is
/// found again, as a tenant may have done only half of it.
struct UserProvision: Equatable {
    /// The next step of a provision.
    enum Step: Equatable {
        /// Make a call.
        case call(APICall)
        /// The user is there as requested.
        case done(ProvisionReply)
        /// The provision has failed.
        case failed(ErrorReply)
        /// The provision has failed, as its call has.
        case callFailed(CallFailure)
    }

    /// The reason for which users are searched.
    private enum Purpose: Equatable {
        /// To see whether the user is there.
        case look
        /// To see who was faster, as the tenant has refused the creation.
        case lookAgain(after: ErrorReply.Upstream)
        /// To replace the groups, as the tenant has refused to make this change of single ones.
        case replace(after: TenantUser.GroupDifference)
        /// To see what a change has done.
        case compare(wasReplaced: Bool)
        /// To see whether a creation that got no good answer was made all the same.
        case lookAfterLoss(CallFailure)
        /// To see what was made of a change that got no good answer.
        case compareAfterLoss(CallFailure, TenantUser.GroupDifference)
    }

    private enum Phase: Equatable {
        case finding(Purpose, SubjectMatches)
        case creating
        case changing(GroupChange, TenantUser.GroupDifference)
    }

    let subject: [UInt8]
    private let name: String?
    private let email: String?
    private let groups: [String]?
    private let policy: ProvisioningPolicy
    private var phase: Phase
    /// The id of the user, as soon as it is known.
    private(set) var userID: String?
    private(set) var isCreated = false
    /// The user as created, whom the tenant may not find for a while.
    private var created: TenantUser?
    private var hasChangedGroups = false
    /// The changes at the tenant that no record has been made of.
    private var records: [AuditRecord.ProvisionStep] = []

    init(_ request: ProvisionRequest, _ policy: ProvisioningPolicy) {
        subject = request.subject
        name = request.name
        email = request.email
        groups = request.groups
        self.policy = policy
        phase = .finding(.look, SubjectMatches(of: request.subject))
    }

    /// The first call.
    var firstCall: APICall { .findUsers(subject: subject, page: nil) }

    /// True if the call under way changes something at the tenant.
    var changesTenant: Bool { if case .finding = phase { false } else { true } }

    /// True if it has changed something at the tenant.
    var hasChangedTenant: Bool { isCreated || hasChangedGroups }

    /// Returns the changes at the tenant since the last call of this method.
    mutating func takeRecords() -> [AuditRecord.ProvisionStep] {
        defer { records = [] }
        return records
    }

    /// Takes the outcome of the call under way, and returns the next step.
    mutating func answered(_ outcome: APIOutcome) -> Step {
        switch (phase, outcome) {
        case (.creating, .failed(let failure)) where failure.mayBeDone: find(.lookAfterLoss(failure))
        case (.changing(_, let difference), .failed(let failure)) where failure.mayBeDone:
            find(.compareAfterLoss(failure, difference))
        case (_, .failed(let failure)): .callFailed(failure)
        case (.finding(let purpose, let matches), .users(let users, let next)):
            found(users, next, purpose, matches)
        case (.creating, .created(let user)): created(user)
        case (.creating, .refused(let upstream)) where Self.mayExist(upstream): find(.lookAgain(after: upstream))
        case (.changing(let change, let difference), .done): changed(by: change, difference)
        case (.changing(.edit, let difference), .refused(let upstream)) where upstream.status == 400:
            find(.replace(after: difference))
        case (_, .refused(let upstream)): .failed(.denied(upstream, retryAfter: nil))
        case (_, .users), (_, .created), (_, .done), (_, .tokens): .failed(.unexpectedAnswer)
        }
    }

    // MARK: Finding

    private mutating func find(_ purpose: Purpose) -> Step {
        phase = .finding(purpose, SubjectMatches(of: subject))
        return .call(firstCall)
    }

    private mutating func found(
        _ users: [TenantUser],
        _ next: String?,
        _ purpose: Purpose,
        _ before: SubjectMatches
    ) -> Step {
        var matches = before
        guard matches.add(users) else { return .failed(.tooManyPages) }
        if let next {
            phase = .finding(purpose, matches)
            return .call(.findUsers(subject: subject, page: next))
        }
        switch matches.result {
        case .none: return missing(purpose)
        case .one(let user): return found(user, purpose)
        case .several: return .failed(.severalUsers)
        }
    }

    private mutating func missing(_ purpose: Purpose) -> Step {
        switch purpose {
        case .look:
            phase = .creating
            return .call(.createUser(NewUser(subject: subject, name: name, email: email)))
        case .lookAgain(let upstream):
            return .failed(upstream.status == 409 ? .hiddenUser : .denied(upstream, retryAfter: nil))
        case .compare:
            // A search may lag behind a creation. The tenant has taken the change.
            return created.map { done($0) } ?? .failed(.userGone)
        case .replace: return .failed(.userGone)
        case .lookAfterLoss(let failure), .compareAfterLoss(let failure, _): return .callFailed(failure)
        }
    }

    private mutating func found(_ user: TenantUser, _ purpose: Purpose) -> Step {
        if let userID, !userID.utf8.elementsEqual(user.id.utf8) { return .failed(.userGone) }
        userID = user.id
        if let refusal = user.refusal { return .failed(refusal) }
        switch purpose {
        case .look, .lookAgain: return change(user) { .edit(adding: $0.adding, removing: $0.removing) }
        case .replace(let difference):
            noteHalf(of: difference, user)
            return change(user) { .replace($0.result) }
        case .compare(wasReplaced: false): return change(user) { .replace($0.result) }
        case .compare(wasReplaced: true): return change(user) { _ in nil }
        case .lookAfterLoss: return created(user)
        case .compareAfterLoss(let failure, let difference):
            noteHalf(of: difference, user)
            let isDone = groups.map { user.difference(from: $0, policy).isEmpty } ?? true
            return isDone ? done(user) : .callFailed(failure)
        }
    }

    // MARK: Creating

    /// True if a refused creation may mean that the user is there already.
    private static func mayExist(_ upstream: ErrorReply.Upstream) -> Bool { [400, 409].contains(upstream.status) }

    private mutating func created(_ user: TenantUser) -> Step {
        userID = user.id
        isCreated = true
        created = user
        records.append(.created)
        guard user.subject == subject else { return .failed(.otherUserCreated) }
        return found(user, .look)
    }

    // MARK: Groups

    /// Returns the step that changes the groups of a user if they are not the right ones.
    ///
    /// - Parameter form: Returns the change, or nil if there was the last try.
    private mutating func change(
        _ user: TenantUser,
        _ form: (TenantUser.GroupDifference) -> GroupChange?
    ) -> Step {
        let difference = groups.map { user.difference(from: $0, policy) }
        guard let difference, !difference.isEmpty else { return done(user) }
        guard let change = form(difference) else { return .failed(.groupsNotChanged) }
        phase = .changing(change, difference)
        return .call(.changeGroups(userID: user.id, change))
    }

    private mutating func changed(by change: GroupChange, _ difference: TenantUser.GroupDifference) -> Step {
        hasChangedGroups = true
        records.append(.groupsChanged(added: difference.adding, removed: difference.removing.map(\.name)))
        if case .replace = change { return find(.compare(wasReplaced: true)) }
        return find(.compare(wasReplaced: false))
    }

    /// Notes what a tenant has done of a change that it has refused.
    private mutating func noteHalf(of refused: TenantUser.GroupDifference, _ user: TenantUser) {
        guard let left = groups.map({ user.difference(from: $0, policy) }) else { return }
        let added = refused.adding.filter { !left.adding.contains($0) }
        let removed = refused.removing.filter { !left.removing.contains($0) }
        guard !added.isEmpty || !removed.isEmpty else { return }
        hasChangedGroups = true
        records.append(.groupsChanged(added: added, removed: removed.map(\.name)))
    }

    private func done(_ user: TenantUser) -> Step {
        .done(
            ProvisionReply(
                userID: user.id,
                status: user.status,
                isCreated: isCreated,
                hasChangedGroups: hasChangedGroups && !isCreated
            )
        )
    }
}
