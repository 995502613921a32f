import Benchmark
import CAllocations
import CacheDriver
import HitDriver

/// The blocks of memory that are allocated in a thousand rounds.
private let allocations = BenchmarkMetric.custom("Allocations", polarity: .prefersSmaller, useScalingFactor: false)

/// The parts of a hit: parsing, encoding, a connection's state machine with both, and the look-up with its reply.
///
/// A round is sixteen hits, and a measurement has a thousand rounds. The number of allocations doesn't depend on the
/// machine, so a benchmark fails if it exceeds its limit. The times are only shown.
let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        metrics: [allocations, .wallClock, .throughput],
        warmupIterations: 3,
        scalingFactor: .kilo,
        maxDuration: .seconds(2),
        maxIterations: 200
    )
    for part in HitDriver.Part.allCases {
        // The driver of the encoder makes one id in a round.
        let limit = part == .encode ? 1 : 0
        for shape in RequestShape.allCases {
            var driver = HitDriver(part, shape)
            Benchmark("\(part.rawValue) \(shape.rawValue)") { benchmark in
                measure(benchmark, atMost: limit) { driver.run(rounds: $0) }
            }
        }
    }
    for tokens in [1_000, 10_000] {
        var driver = CacheDriver(tokens: tokens)
        Benchmark("look-up among \(tokens) tokens") { benchmark in
            measure(benchmark, atMost: 0) { driver.lookUp(rounds: $0) }
        }
    }
}

/// The allocations with which buffers grow in a first measurement.
private let growth = 16

/// Measures a number of rounds, and fails if they allocate more than a number of blocks each.
private func measure(_ benchmark: Benchmark, atMost limit: Int, _ run: (Int) -> Int) {
    let rounds = benchmark.scaledIterations.count
    let before = allocations_of_this_thread()
    blackHole(run(rounds))
    let allocated = Int(allocations_of_this_thread() - before)
    benchmark.measurement(allocations, allocated)
    if allocated > limit * rounds + growth {
        benchmark.error("\(rounds) rounds made \(allocated) allocations, and \(limit) in a round are allowed")
    }
}
