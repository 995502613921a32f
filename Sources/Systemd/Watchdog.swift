import CSystemd

/// How often a service has to say that it is alive.
package enum Watchdog {
    /// The time after which the manager kills a service that has said nothing; nil: it doesn't watch.
    ///
    /// Send ``Notice/alive`` twice as often, so that one that comes late does no harm.
    package static var interval: Duration? {
        var microseconds: UInt64 = 0
        guard unsafe sd_watchdog_enabled(0, &microseconds) > 0 else { return nil }
        return .microseconds(Int64(clamping: microseconds))
    }
}
