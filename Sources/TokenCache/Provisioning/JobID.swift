import TokenProtocol

/// Identifies a job by its slot and a number that is never reused.
struct JobID: Hashable {
    let slot: Int
    let serial: UInt64
}

extension Waiter {
    /// The connection of the waiters that are jobs.
    ///
    /// No connection has this number, as connections are numbered upwards.
    private static let jobs = UInt64.max

    /// Creates the waiter with which a job waits for a client's token.
    init(_ job: JobID) { self.init(connection: Self.jobs, ticket: job.serial) }

    /// True if a job waits, and no request of a peer.
    var isJob: Bool { connection == Self.jobs }
}
