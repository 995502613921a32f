import Foundation
import Testing

@Suite("Random runs of the cache against a model")
struct ModelTests {
    private static let steps = 500
    /// The parts of the seeds.
    ///
    /// Each is a test case of its own, one after another, so that the other tests have a thread.
    private static let shares = 8
    private static let runs = 1_000
    /// The number of violations after which the rest of a part says nothing new.
    private static let maxViolations = 5

    @Test("Whatever happens, the promises hold.", .serialized, arguments: 0..<shares)
    func holds(share: Int) async throws {
        // `make model SEED=…` replays one run.
        if let seed = ProcessInfo.processInfo.environment["MODEL_SEED"].flatMap(UInt64.init) {
            if share == 0 { _ = run(seed, isTraced: true) }
            return
        }
        var tally = ModelTally()
        var violations = 0
        for number in 0..<(Self.runs / Self.shares) where violations < Self.maxViolations {
            let run = run(UInt64(share * 1_000_000 + number))
            if run == nil { violations += 1 }
            if let run { tally.add(run) }
            // Other tests run on the same threads, and some of them have deadlines.
            await Task.yield()
        }
        // The rarest situations come up once in some hundred runs.
        if ProcessInfo.processInfo.environment["MODEL_TALLY"] != nil { print("share \(share): \(tally)") }
    }

    /// Does one run, and returns nil if a promise was broken.
    private func run(_ seed: UInt64, isTraced: Bool = false) -> ModelTally? {
        do {
            let run = try ModelRun(seed: seed, isTraced: isTraced)
            try run.run(steps: Self.steps)
            return run.tally
        } catch {
            Issue.record("\(error); replay it by: make model SEED=\(seed)")
            return nil
        }
    }
}
