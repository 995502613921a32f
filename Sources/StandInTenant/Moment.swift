/// The time of an event on both clocks: the one that measures, and the one that replies quote.
package struct Moment: Sendable {
    /// The clock that goes on in suspend; lifetimes and allowances are measured by it.
    package var elapsed: ContinuousClock.Instant
    /// The wall clock.
    package var wall: WallTime

    /// A moment given on both clocks.
    package init(elapsed: ContinuousClock.Instant, wall: WallTime) {
        self.elapsed = elapsed
        self.wall = wall
    }

    /// The present moment.
    package static func now() -> Moment {
        Moment(elapsed: .now, wall: .now())
    }
}
