import CSystemd
import Glibc
import SafeText

/// A notification from a service to its manager (sd_notify(3)).
package enum ServiceNotification: Sendable, Equatable {
    /// The service is ready, with a line for `systemctl status`.
    case ready(status: String)
    /// A line for `systemctl status`.
    case status(String)
    /// The service reads its configuration again, until it sends ``ready(status:)``.
    case reloading
    /// The service is shutting down.
    case stopping
    /// The service is alive, for the watchdog.
    case alive

    /// The text that is sent to the manager.
    package var text: String {
        switch self {
        case .ready(let status): "READY=1\nSTATUS=\(Self.line(status))"
        case .status(let status): "STATUS=\(Self.line(status))"
        // By the time the manager tells the end of this reload from that of an earlier one (`Type=notify-reload`).
        case .reloading: "RELOADING=1\nMONOTONIC_USEC=\(Self.monotonicMicroseconds)"
        case .stopping: "STOPPING=1"
        case .alive: "WATCHDOG=1"
        }
    }

    /// Sends the notification, if a manager listens.
    ///
    /// This may block while the manager is busy, so it must not be called on an event loop.
    package func send() {
        // There is nobody to whom a failure could be reported.
        _ = unsafe sd_notify(0, text)
    }

    /// Returns a text as one line: a line end in it would begin another assignment.
    private static func line(_ text: String) -> String { text.printable }

    private static var monotonicMicroseconds: Int64 {
        var now = timespec()
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1_000
    }
}
