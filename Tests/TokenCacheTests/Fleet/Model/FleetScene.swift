import TestSupport

/// The conditions of a simulated fleet.
struct FleetScene {
    /// The faults of a run.
    enum Faults {
        /// Only delays.
        case none
        /// Cuts, losses, restarts and failovers until the end.
        case always
        /// The same, up to a time, after which everything comes to rest.
        case untilRest
    }

    var machines = 3
    var users = 3
    var faults = Faults.none
    /// The time in which apps make requests.
    var length = Duration.seconds(300)
    /// The mean time between requests to all machines.
    var pause = Duration.seconds(3)
    var lifetime = Duration.seconds(200)
    var ratePerMinute = 600
    var burst = 60
    /// The longest way of a message in one direction.
    var delay = Duration.milliseconds(20)
    /// The longest time that the tenant takes.
    var mintTime = Duration.seconds(2)
    /// The number of events that the engine keeps.
    var eventLimit = 10_000

    /// The time without requests, in which all waits end or everything comes to rest: each token is renewed once and expires.
    var rest: Duration { faults == .always ? .seconds(60) : lifetime * 3 + .seconds(120) }

    /// Creates the scene of a seed.
    init(seed: UInt64, faults: Faults) {
        var random = SeededRandom(seed: seed &* 31 &+ 7)
        self.faults = faults
        machines = 2 + random.below(4)
        users = 1 + random.below(5)
        lifetime = .seconds(60 + random.below(400))
        (ratePerMinute, burst) = random.once(in: 3) ? (30, 3) : (600, 60)
        delay = .milliseconds(1 + random.below(24))
        mintTime = .milliseconds(50 + random.below(4_000))
        if faults != .none, random.once(in: 3) { eventLimit = 1 + random.below(6) }
    }
}
