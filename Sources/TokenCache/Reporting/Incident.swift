/// Decides when operators are told of a fault that lasts: once when it begins, once a minute while it lasts, and once
/// when it is over.
///
/// A fault that comes back within a while is the same one, so a fault that comes and goes causes no more reports than
/// one that stays.
package struct Incident: Sendable, Equatable {
    /// The time between two reports: seldom enough to be read, and often enough to show that it still lasts.
    package static let interval = Duration.seconds(60)
    /// The time without the fault after which it is over, if nothing else shows its end.
    package static let quiet = Duration.seconds(60)
    /// The time without the fault after which it is over, if there is proof of its end.
    package static let quietAfterProof = Duration.seconds(10)

    /// A part of the incident's life.
    package enum Phase: String, Sendable {
        case began
        case lasts
        case ended
    }

    /// Everything that operators are told about the incident itself.
    package struct Report: Sendable, Equatable {
        /// The part of its life.
        package var phase: Phase
        /// The time since its beginning, or from its beginning to its end.
        package var duration: Duration
        /// The number of failures since the last report.
        package var failures: Int

        /// Creates a report.
        package init(_ phase: Phase, duration: Duration, failures: Int) {
            self.phase = phase
            self.duration = duration
            self.failures = failures
        }
    }

    private struct Present: Equatable {
        let began: Instant
        /// The time until which the fault lasts, or nil if that isn't known.
        var until: Instant?
        /// The time without the fault after which it is over.
        var quiet: Duration
        /// The time of the last report, or nil before the first.
        var reported: Instant?
        var failures = 0
    }

    private var present: Present?

    /// Creates an incident that has not begun.
    package init() {}

    /// True if the incident has begun and its end has not been reported.
    package var isPresent: Bool { present != nil }

    /// Notes that the fault is there.
    ///
    /// - Parameter end: The time until which it lasts, which may be now, or nil if it lasts until
    ///   ``end(quiet:now:)``.
    package mutating func note(until end: Instant?, now: Instant) {
        guard var present else {
            present = Present(began: now, until: end, quiet: Self.quiet)
            return
        }
        present.quiet = Self.quiet
        if let until = present.until, let end { present.until = max(until, end) } else { present.until = nil }
        self.present = present
    }

    /// Notes that the fault is gone.
    ///
    /// - Parameter quiet: The time without the fault after which it is over.
    package mutating func end(quiet: Duration = quietAfterProof, now: Instant) {
        guard var present else { return }
        present.until = min(present.until ?? now, now)
        present.quiet = quiet
        self.present = present
    }

    /// Counts failures that it has caused.
    package mutating func count(_ failures: Int = 1) { present?.failures += failures }

    /// Makes its beginning due to be reported once more, as the fault has become worse.
    package mutating func becomesWorse() { present?.reported = nil }

    /// The time of the next report, or nil if none is due without another event.
    package var nextTime: Instant? {
        guard let present else { return nil }
        guard let reported = present.reported else { return present.began }
        let next = reported + Self.interval
        // If the fault is gone by then, only its end is left to report.
        if let until = present.until, until < next { return until + present.quiet }
        return next
    }

    /// Ends it at once if the fault is gone, as nobody will look again, and returns the report of its end.
    package mutating func finish() -> Report? {
        guard let present, let until = present.until, present.reported != nil else { return nil }
        self.present = nil
        return Report(.ended, duration: until - present.began, failures: present.failures)
    }

    /// Returns the report that is due, or nil if none is.
    package mutating func report(at now: Instant) -> Report? {
        guard var present, let time = nextTime, time <= now else { return nil }
        if let until = present.until, present.reported != nil, until + present.quiet <= now {
            self.present = nil
            return Report(.ended, duration: until - present.began, failures: present.failures)
        }
        let phase = present.reported == nil ? Phase.began : .lasts
        defer {
            (present.reported, present.failures) = (now, 0)
            self.present = present
        }
        return Report(phase, duration: now - present.began, failures: present.failures)
    }
}
