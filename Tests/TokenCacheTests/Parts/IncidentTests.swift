import Testing
import TokenCache

@Suite("Incidents: when operators are told of a fault")
struct IncidentTests {
    private static let start = ContinuousClock.now

    private func at(_ seconds: Int) -> Instant { Self.start + .seconds(seconds) }

    /// Returns the reports of some seconds, with the second of each.
    private func reports(
        _ incident: inout Incident,
        _ seconds: Range<Int>,
        _ events: (inout Incident, Int) -> Void = { _, _ in }
    ) -> [(second: Int, report: Incident.Report)] {
        var found: [(second: Int, report: Incident.Report)] = []
        for second in seconds {
            events(&incident, second)
            if let report = incident.report(at: at(second)) { found.append((second, report)) }
        }
        return found
    }

    @Test("A fault that lasts an hour is reported once when it begins, once a minute, and once when it is over.")
    func hour() {
        var incident = Incident()
        incident.note(until: nil, now: at(0))
        let found = reports(&incident, 0..<3_700) { incident, second in
            if second == 3_605 { incident.end(now: at(second)) }
        }
        #expect(found.count == 62)
        #expect(found.map(\.second) == Array(stride(from: 0, through: 3_600, by: 60)) + [3_615])
        #expect(found.first?.report == .init(.began, duration: .zero, failures: 0))
        #expect(found[1].report == .init(.lasts, duration: .seconds(60), failures: 0))
        #expect(found.last?.report == .init(.ended, duration: .seconds(3_605), failures: 0))
        #expect(!incident.isPresent)
        #expect(incident.nextTime == nil)
    }

    @Test("A fault that comes and goes each second causes no more reports than one that stays.")
    func comesAndGoes() {
        var incident = Incident()
        let found = reports(&incident, 0..<700) { incident, second in
            guard second < 600 else { return }
            if second % 2 == 0 { incident.note(until: nil, now: at(second)) } else { incident.end(now: at(second)) }
        }
        #expect(found.map(\.second) == Array(stride(from: 0, through: 540, by: 60)) + [609])
    }

    @Test("A fault of a moment is over after a minute without another.")
    func moments() {
        var incident = Incident()
        let found = reports(&incident, 0..<300) { incident, second in
            if [0, 50, 100].contains(second) { incident.note(until: at(second), now: at(second)) }
        }
        #expect(found.map(\.second) == [0, 100, 160], "nothing is said to last while it is gone")
        #expect(found.map(\.report.phase) == [.began, .lasts, .ended])
        #expect(found.last?.report.duration == .seconds(100))
    }

    @Test("A moment's fault does not shorten one that lasts, and an end that is known beforehand needs no event.")
    func until() {
        var incident = Incident()
        incident.note(until: at(30), now: at(0))
        incident.note(until: at(10), now: at(5))
        #expect(reports(&incident, 0..<100).map(\.second) == [0, 90])
        incident.note(until: nil, now: at(200))
        incident.note(until: at(201), now: at(201))
        #expect(reports(&incident, 200..<330).map(\.second) == [200, 260, 320], "its end is not known")
    }

    @Test("Failures are counted from report to report, and only while there is an incident.")
    func failures() {
        var incident = Incident()
        incident.count(7)
        incident.note(until: nil, now: at(0))
        incident.count(2)
        let found = reports(&incident, 0..<130) { incident, second in
            if second == 70 { incident.count(3) }
        }
        #expect(found.map(\.report.failures) == [2, 0, 3])
    }

    @Test("A fault that becomes worse is reported at once, and after a late look the minute counts from there.")
    func worse() {
        var incident = Incident()
        incident.note(until: nil, now: at(0))
        #expect(incident.report(at: at(0))?.phase == .began)
        incident.becomesWorse()
        #expect(incident.nextTime.map { $0 <= at(20) } == true)
        #expect(incident.report(at: at(20)) == .init(.began, duration: .seconds(20), failures: 0))
        #expect(incident.report(at: at(500))?.phase == .lasts, "after a suspend")
        #expect(incident.nextTime == at(560))
    }

    @Test("When nobody looks again, a fault that is gone ends at once, and one that lasts does not end.")
    func finish() {
        var incident = Incident()
        incident.note(until: nil, now: at(0))
        #expect(incident.report(at: at(0))?.phase == .began)
        #expect(incident.finish() == nil)
        incident.end(now: at(5))
        #expect(incident.finish() == .init(.ended, duration: .seconds(5), failures: 0))
        #expect(incident.finish() == nil)
        #expect(!incident.isPresent)
    }
}
