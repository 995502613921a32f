import CSystemd

/// The manager's watchdog, to which a service has to send notifications.
package enum Watchdog {
    /// The time after which the manager kills a service that has sent nothing, or nil without a watchdog.
    ///
    /// Send ``ServiceNotification/alive`` twice as often, so that a late one does no harm.
    package static var interval: Duration? {
        var microseconds: UInt64 = 0
        guard unsafe sd_watchdog_enabled(0, &microseconds) > 0 else { return nil }
        return .microseconds(Int64(clamping: microseconds))
    }
}
