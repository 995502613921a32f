package import TokenCache
package import TokenProtocol

/// Decides when each tenant's prefetch file is read.
package struct PrefetchSchedule: Sendable {
    /// The file of a tenant, and what is minted from it.
    package struct Job: Sendable, Equatable {
        /// The file.
        package let file: String
        /// The time after which it is read again, or zero for never.
        package let every: Duration
        /// The scopes of the tokens.
        package let scopes: ScopeSet

        /// Creates a job.
        package init(file: String, every: Duration, scopes: ScopeSet) {
            self.file = file
            self.every = every
            self.scopes = scopes
        }
    }

    /// The share by which intervals vary up and down, so that several daemons don't call together.
    private static let spread = 0.1

    private struct Entry {
        let job: Job
        /// The time of the next reading, or nil for none.
        var next: Instant?
    }

    private var entries: [TenantID: Entry] = [:]

    /// Creates a schedule without jobs.
    package init() {}

    /// True if a tenant has this job.
    package func has(_ job: Job, of tenant: TenantID) -> Bool { entries[tenant]?.job == job }

    /// Removes the jobs that a configuration doesn't have, and those that are to begin anew.
    ///
    /// - Returns: The tenants whose former job is over.
    package mutating func remove(except jobs: [TenantID: Job], anew: Set<TenantID> = []) -> [TenantID] {
        let over = entries.filter { jobs[$0.key] != $0.value.job || anew.contains($0.key) }.map(\.key)
        for tenant in over { entries[tenant] = nil }
        return over.sorted { $0.name < $1.name }
    }

    /// Adds the jobs that are not there yet, which are due at once.
    package mutating func add(_ jobs: [TenantID: Job], now: Instant) {
        for (tenant, job) in jobs where entries[tenant] == nil { entries[tenant] = Entry(job: job, next: now) }
    }

    /// Takes a job that is due, by the tenants' names, and sets its next time.
    ///
    /// - Parameter jitterFraction: A random number, evenly distributed from 0 up to 1.
    package mutating func takeDue(at now: Instant, jitterFraction: Double) -> (tenant: TenantID, job: Job)? {
        let due = entries.filter { $0.value.next.map { $0 <= now } ?? false }.min { $0.key.name < $1.key.name }
        guard let (tenant, entry) = due else { return nil }
        let shift = 1 + Self.spread * (2 * jitterFraction - 1)
        entries[tenant]?.next = entry.job.every > .zero ? now + entry.job.every * shift : nil
        return (tenant, entry.job)
    }
}
