/// The constants of a governor, each with the reason for its value.
///
/// Configured values are not here.
enum GovernorConstants {
    // MARK: Order

    /// The share of the bucket for refreshes while anyone waits.
    ///
    /// The rest is for the waiters. A third is still enough to renew everyone in use well before the end of lives that
    /// are hours long.
    static let refreshShare = 0.3
    /// A peer's allowance of forced mints, as a share of rate and burst.
    ///
    /// An app that forces every mint leaves three quarters to the others.
    static let forcedShare = 0.25
    /// The maximum number of allowances, more than any host has apps.
    ///
    /// Beyond it full ones are removed.
    static let maxAllowances = 1_024

    // MARK: Holds

    /// The length of a hold for which the tenant gave no usable time.
    static let holdWithoutTime = Duration.seconds(5)
    /// The maximum length of a hold: an hour, after which asking again costs one call.
    static let maxHold = Duration.seconds(3_600)
    /// The share by which holds are randomly extended, so that several daemons don't come back together.
    static let holdSpread = 0.1

    // MARK: Backoff of refreshes

    /// The minimum pause before a retry: a tenant that stumbled is back in a second or not soon.
    static let minBackoff = Duration.seconds(1)
    /// The factor by which pauses grow at most.
    ///
    /// They are random, so that refreshes that failed together don't come back together.
    static let backoffGrowth = 3
    /// The maximum pause: a tenant that is back is found within a minute.
    static let maxBackoff = Duration.seconds(60)
    /// The divisor of a token's time left that limits a pause, so that three tries remain before it expires.
    static let backoffShareOfLife = 4

    // MARK: Circuit

    /// The number of faults in a row that opens the circuit.
    ///
    /// Fewer occur when a connection with several calls is cut.
    static let faultsInRow = 5
    /// The time in which half of the calls have to be faults to open the circuit.
    ///
    /// Older calls say nothing of the present.
    static let window = Duration.seconds(30)
    /// The minimum number of calls in the window: two of three say little of a tenant.
    static let minCalls = 10
    /// The maximum number of calls in the window.
    ///
    /// So many show the state of any tenant, and memory stays bounded.
    static let maxRecentCalls = 1_024
    /// The length of the first opening: a tenant that restarts is back by then.
    static let minOpening = Duration.seconds(5)
    /// The maximum length of an opening, which doubles each time: a tenant that is back is found within a minute.
    static let maxOpening = Duration.seconds(60)
    /// The share by which openings vary up and down, so that several daemons don't probe together.
    static let openingSpread = 0.2

    // MARK: Suspicion

    /// The number of different users denied in a row that makes the client doubtful, and with 401 suspect.
    ///
    /// One or two may be unknown.
    static let deniedUsers = 3
    /// The number of accepted users that are remembered as probes: if one logs out, the next one is used.
    static let maxAccepted = 8
}
