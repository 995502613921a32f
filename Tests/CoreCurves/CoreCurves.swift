import Foundation
import Secrets
import TokenCache
import TokenProtocol

/// Measures how long apps, tenants and the clock can block the event loop.
///
/// It prints a table of the longest single event of each kind of work, in microseconds of the processor, by the number of
/// entries. `make bench` runs it. Long work is divided into slices, so the longest event should not grow with the number
/// of entries. The arguments are the numbers of entries, and names of kinds of work, by default all.
@main
struct CoreCurves {
    static func main() {
        // The daemon does the same.
        ProcessHeap.mergeFreedBlocksAtOnce()
        let arguments = CommandLine.arguments.dropFirst()
        let numbers = arguments.compactMap { Int($0) }
        let sizes = numbers.isEmpty ? [1_000, 10_000, 100_000] : numbers
        let names = arguments.filter { Int($0) == nil }
        print("| work |" + sizes.map { " \($0) |" }.joined())
        print("|---|" + sizes.map { _ in "---:|" }.joined())
        for curve in Curve.all where names.isEmpty || names.contains(curve.name) {
            let cells = sizes.map { " \(curve.longestEvent($0)) |" }
            print("| \(curve.name) |" + cells.joined())
        }
    }
}

/// One kind of work.
private struct Curve {
    /// The number of times that the work is done.
    ///
    /// Other programs, which take a shared cache or the processor's other half, make an event longer and never shorter.
    private static let repeats = 3

    let name: String
    let prepare: (inout CacheBenchmark) -> Void
    let run: (inout CacheBenchmark) -> Void

    /// Does the work with a number of entries several times, and returns the least of the times of the longest event, in
    /// microseconds.
    func longestEvent(_ size: Int) -> Int {
        let times = (0..<Self.repeats).map { _ in
            var benchmark = CacheBenchmark(size)
            prepare(&benchmark)
            benchmark.begin()
            run(&benchmark)
            return benchmark.longest
        }
        return Int(((times.min() ?? .zero) / .microseconds(1)).rounded())
    }

    static var all: [Curve] {
        [
            Curve(name: "tokens are cached", prepare: { _ in }, run: { $0.fill() }),
            Curve(name: "hits", prepare: { $0.fill() }, run: { $0.hit() }),
            Curve(name: "tokens are restored", prepare: { $0.replace() }, run: { $0.restore() }),
            Curve(
                name: "tokens are restored while callers wait",
                prepare: {
                    $0.replace()
                    $0.addCallers()
                },
                run: { $0.restore() }
            ),
            Curve(
                name: "flush",
                prepare: { $0.fill() },
                run: { $0.measure { $0.flush(tenant: nil, now: $1).actions } }
            ),
            Curve(name: "reload with another policy", prepare: { $0.fill() }, run: { $0.reload(changesPolicy: true) }),
            Curve(name: "reload without a change", prepare: { $0.fill() }, run: { $0.reload(changesPolicy: false) }),
            Curve(
                name: "reload with half of the limit of entries",
                prepare: { $0.fill() },
                run: { $0.halveLimit() }
            ),
            Curve(name: "refreshes due at once", prepare: { $0.fill() }, run: { $0.pass(.seconds(950)) }),
            Curve(name: "tokens expire at once", prepare: { $0.fill() }, run: { $0.pass(.seconds(1_000)) }),
            Curve(name: "users are denied", prepare: { _ in }, run: { $0.denyUsers() }),
            Curve(name: "evictions by an operator", prepare: { $0.fill() }, run: { $0.evict() }),
            Curve(name: "evictions for new tokens", prepare: { $0.fill() }, run: { $0.fill(from: $0.size) }),
            Curve(name: "statistics", prepare: { $0.fill() }, run: { $0.readStatistics() }),
            Curve(
                name: "statistics of 1,000 tenants",
                prepare: { $0.addTenants() },
                run: { $0.readStatistics() }
            ),
            Curve(
                name: "metrics of 1,000 tenants",
                prepare: { $0.addTenants() },
                run: { benchmark in for _ in 0..<100 { _ = benchmark.timed { $0.snapshot(now: $1) } } }
            ),
            Curve(
                name: "health of 1,000 tenants",
                prepare: { $0.addTenants() },
                run: { benchmark in for _ in 0..<100 { _ = benchmark.timed { $0.health(now: $1, wall: Date()) } } }
            ),
            Curve(
                name: "reload of 1,000 tenants",
                prepare: { $0.addTenants() },
                run: { $0.addTenants() }
            ),
            Curve(name: "callers begin to wait", prepare: { $0.limitCalls() }, run: { $0.addCallers() }),
            Curve(name: "429 while callers wait", prepare: { $0.addWaiters() }, run: { $0.throttle() }),
            Curve(name: "waiters of one mint answered", prepare: { $0.addWaiters(ofOne: true) }, run: { $0.answer() }),
            Curve(name: "next 100 refreshes", prepare: { $0.fill() }, run: { $0.listRefreshes() }),
            Curve(name: "logouts beside prefetches", prepare: { $0.prefetch() }, run: { $0.logOut() }),
        ]
    }
}
