import Foundation
import Testing

@Suite("Random lives of the cache against a model")
struct ModelTests {
    private static let steps = 500
    /// Each a test case of its own; one after another, so that a thread is left to the other tests.
    private static let shares = 8
    private static let runs = 2_000

    @Test("Whatever happens, the promises hold.", .serialized, arguments: 0..<shares)
    func holds(share: Int) async throws {
        // `make model SEED=…` replays one run.
        if let seed = ProcessInfo.processInfo.environment["MODEL_SEED"].flatMap(UInt64.init) {
            guard share == 0 else { return }
            _ = try run(seed, isTraced: true)
            return
        }
        var tally = ModelTally()
        for number in 0..<(Self.runs / Self.shares) {
            tally.add(try run(UInt64(share * 1_000_000 + number)))
            // Other tests run on the same threads, and some of them have deadlines.
            await Task.yield()
        }
        for item in ModelTally.Item.allCases {
            #expect(tally.counts[item, default: 0] > 0, "no life has put \(item) to the test")
        }
    }

    private func run(_ seed: UInt64, isTraced: Bool = false) throws -> ModelTally {
        let run = ModelRun(seed: seed)
        run.isTraced = isTraced
        run.digests = ProcessInfo.processInfo.environment["MODEL_DIGEST"] != nil
        defer { if run.digests { print("digest \(seed) \(run.digest)") } }
        do {
            try run.run(steps: Self.steps)
        } catch let violation as ModelRun.Violation {
            Issue.record("\(violation); replay it by: make model SEED=\(seed)")
            throw violation
        }
        return run.tally
    }
}
