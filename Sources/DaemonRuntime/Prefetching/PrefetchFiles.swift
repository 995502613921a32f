import Dispatch
package import Logging
import OperatorReplies
package import TokenCache

/// Reads the tenants' prefetch files when they are due, and gives their subjects to the cache.
package actor PrefetchFiles {
    /// The queue on which files are read, as a disk may block for seconds.
    private static let queue = DispatchQueue(label: "tokencached.prefetch", qos: .utility)

    private let frontend: Frontend
    private let log: Logger
    private var schedule = PrefetchSchedule()
    /// The faults of the files that can't be used.
    private var faults: [TenantID: SubjectFile.Fault] = [:]

    /// Creates an actor without files.
    package init(_ frontend: Frontend, log: Logger) {
        self.frontend = frontend
        self.log = log
    }

    /// Applies the files of a configuration.
    ///
    /// A file that had a fault is read again, as it may have been corrected.
    package func apply(_ jobs: [TenantID: PrefetchSchedule.Job], now: Instant = .now) async {
        let over = schedule.remove(except: jobs, anew: Set(faults.keys))
        // New jobs are not due before the rounds of the former ones have ended.
        for tenant in over { await frontend.cache.endPrefetchRound(of: tenant) }
        for tenant in over { faults[tenant] = nil }
        await showFaults()
        schedule.add(jobs, now: now)
    }

    /// Reads the files that are due, one after another.
    package func readDue(now: Instant = .now) async {
        while !Task.isCancelled,
            let (tenant, job) = schedule.takeDue(at: now, jitterFraction: .random(in: 0..<1))
        {
            // A round that isn't over goes on, and this reading is left out.
            guard await !frontend.cache.hasPrefetchRound(of: tenant) else { continue }
            await begin(job, of: tenant)
        }
    }

    private func begin(_ job: PrefetchSchedule.Job, of tenant: TenantID) async {
        let result = await read(job.file)
        // A reload may have changed it meanwhile.
        guard schedule.has(job, of: tenant) else { return }
        switch result {
        case .failure(let fault): await note(fault, of: tenant)
        case .success(let subjects):
            await note(nil, of: tenant)
            log.info(
                "the users of the prefetch file are minted ahead",
                metadata: [
                    LogKey.tenant: "\(tenant.name)", LogKey.path: "\(job.file)", LogKey.count: "\(subjects.count)",
                ]
            )
            _ = await frontend.cache.beginPrefetchRound(of: tenant, subjects, job.scopes)
            if !schedule.has(job, of: tenant) { await frontend.cache.endPrefetchRound(of: tenant) }
        }
    }

    private func read(_ path: String) async -> Result<[String], SubjectFile.Fault> {
        await withCheckedContinuation { continuation in
            Self.queue.async {
                continuation.resume(
                    returning: Result { () throws(SubjectFile.Fault) in try SubjectFile.read(path) }
                )
            }
        }
    }

    // MARK: Faults

    private func note(_ fault: SubjectFile.Fault?, of tenant: TenantID) async {
        guard faults[tenant] != fault else { return }
        faults[tenant] = fault
        if let fault {
            log.warning(
                "the prefetch file can't be used, and nothing is minted from it",
                metadata: [LogKey.tenant: "\(tenant.name)", LogKey.fault: "\(fault)"]
            )
        }
        await showFaults()
    }

    /// Shows one of the faults in `health`, and the number of the others.
    private func showFaults() async {
        let first = faults.min { $0.key.name < $1.key.name }?.value
        let others = faults.count > 1 ? " (and \(faults.count - 1) other prefetch files have faults)" : ""
        let check = first.map { fault in
            HealthReply.Check(name: "prefetch", tenant: nil, status: .degraded, description: "\(fault)\(others)")
        }
        await frontend.note(check, named: "prefetch")
    }
}
