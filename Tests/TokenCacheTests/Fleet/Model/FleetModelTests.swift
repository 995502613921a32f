import Foundation
import Testing

@Suite("Simulated fleets")
struct FleetModelTests {
    private static let shares = 4
    /// The number of violations after which the rest of a part says nothing new.
    private static let maxViolations = 3

    @Test(
        "A token is minted once, nothing outlives a logout, and every wait ends.",
        .serialized,
        arguments: 0..<shares
    )
    func withoutFaults(share: Int) async { await run(share, runs: 25, .none) }

    @Test("The same holds with cuts, losses, restarts and failovers.", .serialized, arguments: 0..<shares)
    func withFaults(share: Int) async { await run(share, runs: 25, .always) }

    @Test("When all faults are over, everything comes to rest.", .serialized, arguments: 0..<shares)
    func untilRest(share: Int) async { await run(share, runs: 25, .untilRest) }

    private func run(_ share: Int, runs: Int, _ faults: FleetScene.Faults) async {
        let environment = ProcessInfo.processInfo.environment
        if let seed = environment["FLEET_SEED"].flatMap(UInt64.init) {
            if share == 0 { _ = run(seed, faults) }
            return
        }
        var tally = FleetTally()
        var violations = 0
        let runs = environment["FLEET_RUNS"].flatMap { Int($0) } ?? runs
        for number in 0..<runs where violations < Self.maxViolations {
            if let run = run(UInt64(share * 1_000_000 + number), faults) { tally.add(run) } else { violations += 1 }
            await Task.yield()
        }
        if violations == 0, runs >= 25 {
            let expected: [FleetTally.Fault] = faults == .none ? [.failedMint, .newKey] : FleetTally.Fault.allCases
            for fault in expected { #expect(tally.faults[fault] ?? 0 > 0, "no run has met \(fault)") }
        }
        if environment["FLEET_TALLY"] != nil { print("\(faults), share \(share): \(tally)") }
    }

    /// Does one run, and returns nil if a promise was broken.
    private func run(_ seed: UInt64, _ faults: FleetScene.Faults) -> FleetTally? {
        var now = FleetRun.start
        do {
            let run = try FleetRun(seed: seed, FleetScene(seed: seed, faults: faults))
            defer { now = run.now }
            try run.run()
            return run.tally
        } catch {
            let time = now - FleetRun.start
            Issue.record("\(error), \(time) after the start, with faults: \(faults), FLEET_SEED=\(seed)")
            return nil
        }
    }
}
