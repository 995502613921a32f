import DaemonRuntime
import Testing
import TokenCache
import TokenProtocol

@Suite("The times at which prefetch files are read")
struct PrefetchScheduleTests {
    private static let start = ContinuousClock.now
    private let main = TenantID(number: 1, name: "main")
    private let other = TenantID(number: 2, name: "other")

    private func job(_ file: String = "f", every: Duration = .zero) throws -> PrefetchSchedule.Job {
        PrefetchSchedule.Job(file: file, every: every, scopes: try #require(ScopeSet("user_default")))
    }

    /// Takes the tenants whose files are due.
    private func due(_ schedule: inout PrefetchSchedule, _ seconds: Int, jitterFraction: Double = 0.5) -> [String] {
        var names: [String] = []
        while let (tenant, _) = schedule.takeDue(at: Self.start + .seconds(seconds), jitterFraction: jitterFraction) {
            names.append(tenant.name)
        }
        return names
    }

    private func apply(_ jobs: [TenantID: PrefetchSchedule.Job], to schedule: inout PrefetchSchedule) -> [TenantID] {
        defer { schedule.add(jobs, now: Self.start) }
        return schedule.remove(except: jobs)
    }

    @Test("A file without an interval is read once.")
    func once() throws {
        var schedule = PrefetchSchedule()
        #expect(try apply([other: job(), main: job()], to: &schedule).isEmpty)
        #expect(due(&schedule, 0) == ["main", "other"])
        #expect(due(&schedule, 1_000_000).isEmpty)
    }

    @Test("A file with an interval is read again after it, give or take a tenth.")
    func again() throws {
        for (jitterFraction, seconds) in [(0.0, 90), (0.5, 100), (1.0, 110)] {
            var schedule = PrefetchSchedule()
            schedule.add([main: try job(every: .seconds(100))], now: Self.start)
            #expect(due(&schedule, 0, jitterFraction: jitterFraction) == ["main"])
            #expect(due(&schedule, seconds - 1).isEmpty)
            #expect(due(&schedule, seconds + 1) == ["main"])
        }
    }

    @Test("After a reload only new and changed files are due, and the former jobs are named.")
    func reload() throws {
        var schedule = PrefetchSchedule()
        let (job, changed) = (try job(), try self.job("g"))
        #expect(apply([main: job, other: job], to: &schedule).isEmpty)
        #expect(due(&schedule, 0).count == 2)
        #expect(apply([main: job, other: job], to: &schedule).isEmpty)
        #expect(due(&schedule, 0).isEmpty)
        #expect(apply([main: changed, other: job], to: &schedule) == [main])
        #expect(due(&schedule, 0) == ["main"])
        #expect(apply([main: changed], to: &schedule) == [other])
        #expect(schedule.has(changed, of: main))
        #expect(!schedule.has(job, of: main) && !schedule.has(job, of: other))
    }
}
