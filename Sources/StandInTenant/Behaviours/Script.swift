/// The behaviours for a series of calls.
package struct Script: Sendable, Equatable {
    /// One step of a script.
    package struct Play: Sendable, Equatable {
        /// The behaviour's text in the grammar, for the list of requests.
        package var text: String
        package var behaviour: Behaviour
        /// The number of calls that it is for.
        var count = 1
        /// The wait before its replies, in place of the stand-in's setting.
        package var latency: Duration?
    }

    /// The tenant's usual reply, for ever.
    static let usual = Script(plays: [Play(text: "ok", behaviour: Behaviour())])

    /// The steps, at least one, of which the last is repeated for ever.
    let plays: [Play]

    /// The number of calls that the steps are for, without repetition of the last one.
    package var length: Int { plays.reduce(0) { length, play in length + play.count } }

    /// Returns the step for the call of an index, which counts from zero.
    package func play(at index: Int) -> Play {
        var rest = index
        for play in plays.dropLast() {
            guard rest >= play.count else { return play }
            rest -= play.count
        }
        return plays[plays.count - 1]
    }
}
