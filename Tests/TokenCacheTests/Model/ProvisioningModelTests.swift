import Testing

@Suite("Random runs of provisions with a scripted API")
struct ProvisioningModelTests {
    private static let runs = 1_000
    private static let steps = 300
    /// The parts of the seeds, each a test case of its own.
    private static let shares = 4

    @Test(
        "Whatever an API and its other administrators do, the promises about users hold.",
        .serialized,
        arguments: 0..<shares
    )
    func holds(share: Int) async {
        for number in 0..<(Self.runs / Self.shares) {
            let seed = UInt64(share * 1_000_000 + number)
            let run = ProvisioningRun(seed: seed)
            run.run(steps: Self.steps)
            guard run.violation == nil else {
                Issue.record("seed \(seed): \(run.violation ?? "")")
                return
            }
            await Task.yield()
        }
    }
}
