/// The counters of the second level since the start.
package struct FleetStatistics: Sendable, Equatable {
    /// The tokens that were found in the second level.
    package var hits = 0
    /// The mints that were left to other machines, whose tokens were found afterwards.
    package var leftToOthers = 0
    /// The looks, payments and drops that were not answered.
    package var failed = 0
    /// The drops that other machines were told of, repeated ones included.
    package var dropsSent = 0
    /// The drops of other machines.
    package var dropsReceived = 0
}
