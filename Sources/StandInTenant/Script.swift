/// What the stand-in does with one call after another.
package struct Script: Sendable, Equatable {
    /// One step of a script.
    package struct Play: Sendable, Equatable {
        /// The behaviour's text in the grammar, for the list of requests.
        package var text: String
        /// How many calls it is for.
        package var count = 1
        /// How long its reply waits; nothing: as long as the stand-in's settings say.
        package var latency: Duration?
        /// What it does.
        package var behaviour: Behaviour

        /// A step for one call.
        package init(text: String, behaviour: Behaviour) {
            self.text = text
            self.behaviour = behaviour
        }
    }

    /// The steps, at least one; the last one goes on for ever.
    private let plays: [Play]

    /// A script of one step and more that follow it.
    package init(_ first: Play, then rest: [Play] = []) {
        plays = [first] + rest
    }

    /// The tenant's usual reply, for ever.
    package static let usual = Script(Play(text: "ok", behaviour: Behaviour()))

    /// How many calls the steps are for, the last one counted as often as it says.
    package var length: Int {
        plays.reduce(0) { length, play in length + play.count }
    }

    /// What to do with the call of that index, counting from zero.
    package func play(at index: Int) -> Play {
        var rest = index
        for play in plays.dropLast() {
            guard rest >= play.count else { return play }
            rest -= play.count
        }
        return plays[plays.count - 1]
    }
}
