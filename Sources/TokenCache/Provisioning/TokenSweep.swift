import TokenProtocol

/// Decides which calls revoke all tokens of one user at the tenant, and what their outcomes mean.
struct TokenSweep: Equatable {
    /// The maximum number of tokens that one request revokes.
    ///
    /// At a tenant's rate that is more than a minute of calls.
    static let maxTokens = 1_000
    /// The maximum number of pages of tokens of one user.
    private static let maxPages = 100

    /// The next step of a sweep.
    enum Step: Equatable {
        /// Make a call.
        case call(APICall)
        /// There is nothing left to do: the failure is nil if none of the user's tokens is left.
        case done(ErrorReply?)
        /// The sweep has failed, as its call has.
        case callFailed(CallFailure)
    }

    private enum Phase: Equatable {
        case finding(SubjectMatches)
        case listing(userID: String, pages: Int)
        case revoking
    }

    private var phase: Phase
    /// The ids of the users whose tokens are not listed yet.
    private var userIDs: [String] = []
    /// The ids of all users that were found.
    private(set) var foundIDs: [String] = []
    /// The ids of the tokens that are left, the next one last.
    private var tokens: [String] = []
    /// The ids of all tokens that were listed, as a tenant's pages may overlap.
    private var listed: Set<String> = []
    /// The number of tokens that were revoked.
    private(set) var count = 0
    /// The first failure, or nil if there was none so far.
    private var failure: ErrorReply?

    /// The first call.
    let firstCall: APICall

    init(of user: UserLookup) {
        if user.field == .subject {
            phase = .finding(SubjectMatches(of: user.value))
            firstCall = .findUsers(subject: user.value, page: nil)
        } else {
            let userID = String(decoding: user.value, as: UTF8.self)
            phase = .listing(userID: userID, pages: 0)
            firstCall = .listTokens(userID: userID, page: nil)
        }
    }

    /// True if the tokens to revoke are known.
    var hasListed: Bool { phase == .revoking }

    /// True if the call under way changes something at the tenant.
    var changesTenant: Bool { phase == .revoking }

    /// Takes the outcome of the call under way, and returns the next step.
    mutating func answered(_ outcome: APIOutcome) -> Step {
        switch (phase, outcome) {
        case (_, .failed(let failure)): return .callFailed(failure)
        case (.finding(let matches), .users(let users, let next)): return found(users, next, matches)
        case (.listing(let userID, let pages), .tokens(let ids, let next)):
            return list(ids, next, userID, pages: pages + 1)
        case (.revoking, .done):
            count += 1
            return revokeNext()
        case (.revoking, .refused(let upstream)) where upstream.status == 404: return revokeNext()
        case (.revoking, .refused(let upstream)) where ![401, 403].contains(upstream.status):
            // One token that can't be revoked must not keep the others.
            failure = failure ?? .denied(upstream, retryAfter: nil)
            return revokeNext()
        case (_, .refused(let upstream)): return .done(failure ?? .denied(upstream, retryAfter: nil))
        case (_, .users), (_, .tokens), (_, .created), (_, .done): return .done(.unexpectedAnswer)
        }
    }

    private mutating func found(_ users: [TenantUser], _ next: String?, _ before: SubjectMatches) -> Step {
        var matches = before
        guard matches.add(users) else { return .done(.tooManyPages) }
        if let next {
            phase = .finding(matches)
            return .call(.findUsers(subject: matches.subject, page: next))
        }
        // All users of the subject are logged out, also one that was disabled or deleted.
        userIDs = matches.users.map(\.id)
        foundIDs = userIDs
        return listNextUser()
    }

    private mutating func listNextUser() -> Step {
        guard let userID = userIDs.popLast() else { return revokeNext() }
        phase = .listing(userID: userID, pages: 0)
        return .call(.listTokens(userID: userID, page: nil))
    }

    private mutating func list(_ ids: [String], _ next: String?, _ userID: String, pages: Int) -> Step {
        let room = Self.maxTokens - tokens.count
        let ids = ids.filter { listed.insert($0).inserted }
        tokens += ids.prefix(room)
        let isCut = ids.count > room || ids.count == room && (next != nil || !userIDs.isEmpty)
        guard !isCut, next == nil || pages < Self.maxPages else {
            failure = .tooManyTokens
            return revokeNext()
        }
        guard let next else { return listNextUser() }
        phase = .listing(userID: userID, pages: pages)
        return .call(.listTokens(userID: userID, page: next))
    }

    private mutating func revokeNext() -> Step {
        guard let token = tokens.popLast() else { return .done(failure) }
        phase = .revoking
        return .call(.revokeToken(token))
    }
}
