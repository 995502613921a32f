/// The numbers by which a governor decides, each with the reason for its value; what the configuration says is not here.
enum GovernorConstants {
    // MARK: Order

    /// While anyone waits, refreshes use at most this share of the bucket: the rest is for those who wait, and a third is
    /// still enough to renew everyone in use well before the end of lives that are hours long.
    static let refreshShare = 0.3
    /// A peer's own allowance of forced mints, as a share of rate and burst: an app that forces every mint leaves three
    /// quarters to the others.
    static let forcedShare = 0.25
    /// So many peers' allowances are remembered, more than any host has apps; past it those that are full again go.
    static let mostAllowances = 1_024

    // MARK: Holds

    /// How long the tenant is left alone that asks for it without a usable time.
    static let holdWithoutTime = Duration.seconds(5)
    /// No hold is longer, whatever the tenant says: an hour, after which asking again costs one call.
    static let longestHold = Duration.seconds(3_600)
    /// Holds are drawn out by up to this share, so that several daemons don't come back together.
    static let holdSpread = 0.1

    // MARK: Backoff of refreshes

    /// The shortest pause before a refresh is tried again: a tenant that stumbled is back in a second or not soon.
    static let shortestBackoff = Duration.seconds(1)
    /// The next pause is drawn from up to so many times the last one: random and growing, so that refreshes that failed
    /// together don't come back together.
    static let backoffGrowth = 3
    /// No pause is longer: a tenant that is back is found within a minute.
    static let longestBackoff = Duration.seconds(60)
    /// And none takes more than this share of what is left of the token, so that three tries remain before it ends.
    static let backoffShareOfLife = 4

    // MARK: Circuit

    /// So many faults in a row open it: fewer happen when a connection is cut under several calls at once.
    static let faultsInRow = 5
    /// It opens also where half of the calls that ended within this time were faults: what is older says nothing of now.
    static let window = Duration.seconds(30)
    /// But only where at least so many ended within it: two of three are no picture of a tenant.
    static let fewestCalls = 10
    /// Of more than so many only the latest count: they are a picture of any tenant, and memory stays bounded.
    static let mostRecentCalls = 1_024
    /// How long it is open at first: a tenant that restarts is back by then.
    static let shortestOpening = Duration.seconds(5)
    /// Each time twice as long, up to this: a tenant that is back is found within a minute.
    static let longestOpening = Duration.seconds(60)
    /// Openings are drawn from so much below to so much above, so that several daemons don't probe together.
    static let openingSpread = 0.2

    // MARK: Suspicion

    /// So many different users refused in a row make the client doubtful, and with 401 suspect: one or two may be unknown.
    static let refusedUsers = 3
    /// So many of the users accepted last are known as probes: if one logs out, the next one is tried.
    static let mostAccepted = 8
}
