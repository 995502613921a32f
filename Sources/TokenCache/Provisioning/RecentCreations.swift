import DequeModule

/// The users that this daemon has just created, whom a tenant may not know everywhere yet.
struct RecentCreations {
    /// The time for which a tenant may still deny a user whom it has just created.
    static let grace = Duration.seconds(5)
    /// The maximum number of users, far more than a tenant's rate allows within the time.
    private static let maxUsers = 10_000

    private var times: [UserKey: Instant] = [:]
    private var order: Deque<(user: UserKey, at: Instant)> = []

    /// Adds a user who was created.
    mutating func add(_ user: UserKey, at now: Instant) {
        times[user] = now
        order.append((user, now))
        if order.count > Self.maxUsers { forgetFirst() }
    }

    /// Forgets one user whose time is over, or returns false if there is none.
    mutating func forgetOld(at now: Instant) -> Bool {
        guard let first = order.first, now - first.at >= Self.grace else { return false }
        forgetFirst()
        return true
    }

    private mutating func forgetFirst() {
        guard let first = order.popFirst() else { return }
        if times[first.user] == first.at { times[first.user] = nil }
    }

    /// True if a user was created so lately that a denial means little.
    func contains(_ user: UserKey, at now: Instant) -> Bool {
        times[user].map { now - $0 < Self.grace } ?? false
    }
}
