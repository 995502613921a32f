/// A time at which a reactor calls a function.
///
/// It is used on the reactor's thread only. A reactor has a handful of them: it looks at all when one is due.
package final class ReactorTimer {
    private let reactor: Reactor
    let action: () -> Void
    /// The time that it is set to.
    var deadline: Reactor.Instant?

    /// Creates a timer that is not set.
    ///
    /// - Parameters:
    ///   - reactor: The reactor that calls the function.
    ///   - action: The function, which may set the timer again.
    package init(on reactor: Reactor, action: @escaping () -> Void) {
        (self.reactor, self.action) = (reactor, action)
    }

    /// Sets the timer in place of its present time, or cancels it if the time is nil.
    ///
    /// A time in the past is due at once.
    package func schedule(at time: Reactor.Instant?) { reactor.schedule(self, at: time) }

    /// Sets the timer to a time from now.
    package func schedule(in duration: Duration) { schedule(at: reactor.time + duration) }

    /// True if it is set.
    package var isScheduled: Bool { deadline != nil }
}

@available(*, unavailable)
extension ReactorTimer: Sendable {}
