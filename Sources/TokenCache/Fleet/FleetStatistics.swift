/// The counters of the second level since the start.
struct FleetStatistics: Sendable, Equatable {
    /// The tokens that were found in the second level.
    var hits = 0
    /// The mints that were left to other machines, whose tokens were found afterwards.
    var leftToOthers = 0
    /// The looks, payments and drops that were not answered.
    var failed = 0
    /// The drops that other machines were told of, repeated ones included.
    var dropsSent = 0
    /// The drops of other machines.
    var dropsReceived = 0
}
