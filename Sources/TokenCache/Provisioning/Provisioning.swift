import DequeModule
import TokenProtocol

/// The jobs at the tenants' APIs, and the order of the provisions of each user.
///
/// A user has one provision under way. Later requests with the same content share it, and others wait for their turn.
struct Provisioning {
    /// The maximum number of jobs.
    ///
    /// At a tenant's rate that is more than ten minutes of calls.
    static let maxJobs = 10_000
    /// The maximum number of provisions of a user that have not ended.
    static let maxJobsPerUser = 64

    private var jobs = Slab<Job>()
    private var lastSerial: UInt64 = 0
    /// The slots of jobs by their serial numbers, by which waiters name them.
    private var slots: [UInt64: Int] = [:]
    /// The provisions of each user that have not ended, in their order: the first one is under way.
    private var lines: [UserKey: Deque<JobID>] = [:]
    /// The number of jobs per uid that have not ended.
    private var peers: [PeerUID: Int] = [:]
    /// The jobs that have ended, and whose waiters have not all got the reply.
    private var ended: Deque<JobID> = []
    /// The number of jobs that have not ended.
    private(set) var count = 0

    /// The range of slots, for walking through the jobs.
    var indices: Range<Int> { jobs.indices }

    subscript(id: JobID) -> Job? {
        guard let job = jobs[id.slot], job.id == id else { return nil }
        return job
    }

    /// Returns the job that waits for a client's token.
    subscript(waiter: Waiter) -> JobID? {
        guard waiter.isJob, let slot = slots[waiter.ticket] else { return nil }
        return JobID(slot: slot, serial: waiter.ticket)
    }

    /// Returns the job in a slot.
    func job(at slot: Int) -> Job? { jobs[slot] }

    /// Changes a job in place.
    mutating func update(_ id: JobID, _ change: (inout Job) -> Void) {
        guard jobs[id.slot]?.id == id else { return }
        jobs[id.slot]?.change(change)
    }

    // MARK: Beginnings

    /// Returns the job of a user that provisions the same by the same rules.
    ///
    /// Only the last job of a user is shared, so that requests take effect in their order, and no job of before an
    /// eviction or a flush.
    func find(_ user: UserKey, _ content: ProvisionContent, _ policy: ProvisioningPolicy) -> JobID? {
        guard let id = lines[user]?.last, let job = self[id], case .provision(_, content) = job.work,
            job.policy == policy, job.isRemembered
        else { return nil }
        return id
    }

    /// True if a uid may add one more provision of a user.
    ///
    /// One uid may have half of them, so that there is room for another.
    func canAdd(_ user: UserKey, for peer: PeerUID) -> Bool {
        guard let line = lines[user] else { return true }
        return line.count < Self.maxJobsPerUser
            && line.count { self[$0]?.peer.uid == peer } < Self.maxJobsPerUser / 2
    }

    /// True if a uid may have one more job.
    ///
    /// There is always room for another uid.
    func canAdd(for peer: PeerUID, share: Double) -> Bool {
        let own = peers[peer] ?? 0
        let contenders = max(2, peers.count + (own == 0 ? 1 : 0))
        return count < Self.maxJobs && own < Quota.bound(Self.maxJobs, share: share, contenders: contenders)
    }

    /// Adds a job.
    ///
    /// A provision is under way at once if its user has no other one.
    mutating func add(
        _ work: Job.Work,
        of user: UserKey,
        _ policy: ProvisioningPolicy,
        client: String,
        for peer: Peer,
        until deadline: Instant,
        in trace: TraceContext?
    ) -> JobID {
        lastSerial += 1
        let id = JobID(slot: jobs.nextIndex, serial: lastSerial)
        let job = Job(
            id: id,
            user: user,
            peer: peer,
            client: client,
            policy: policy,
            work: work,
            deadline: deadline,
            trace: trace
        )
        _ = jobs.insert(job)
        slots[id.serial] = id.slot
        peers[peer.uid, default: 0] += 1
        count += 1
        if job.provision != nil { lines[user, default: []].append(id) }
        return id
    }

    /// True if a job is under way or may be: no earlier provision of the same user is.
    func isFirst(_ id: JobID) -> Bool {
        guard let job = self[id], job.provision != nil else { return true }
        return lines[job.user]?.first == id
    }

    // MARK: Ends

    /// Ends a job with a reply for its waiters, and returns the next provision of the same user if it is its turn.
    mutating func end(_ id: JobID, _ reply: Reply) -> JobID? {
        guard let job = self[id], !job.hasEnded else { return nil }
        count -= 1
        peers[job.peer.uid, default: 0] -= 1
        if peers[job.peer.uid] == 0 { peers[job.peer.uid] = nil }
        update(id) { $0.phase = .ended(reply) }
        if job.waiters.isEmpty { remove(id) } else { ended.append(id) }
        return leaveLine(id, job)
    }

    private mutating func leaveLine(_ id: JobID, _ job: Job) -> JobID? {
        guard job.provision != nil, let position = lines[job.user]?.firstIndex(of: id) else { return nil }
        lines[job.user]?.remove(at: position)
        let next = lines[job.user]?.first
        if next == nil { lines[job.user] = nil }
        return position == 0 ? next : nil
    }

    /// The ended job whose waiters are next.
    var firstEnded: JobID? { ended.first }

    /// Changes the waiters of a job, and removes the job if it has ended and has none left.
    mutating func update(_ id: JobID, _ waiters: Waiters.List) {
        update(id) { $0.waiters = waiters }
        guard waiters.isEmpty, self[id]?.hasEnded == true else { return }
        if ended.first == id { ended.removeFirst() } else { ended.removeAll { $0 == id } }
        remove(id)
    }

    /// Moves the first ended job to the end.
    mutating func rotate() {
        if let job = ended.popFirst() { ended.append(job) }
    }

    private mutating func remove(_ id: JobID) {
        jobs.remove(id.slot)
        slots[id.serial] = nil
    }

    // MARK: Evictions

    /// Makes sure that the results of a user's provisions under way are not remembered.
    mutating func doNotRemember(_ user: UserKey) {
        for id in lines[user] ?? [] { update(id) { $0.isRemembered = false } }
    }
}
