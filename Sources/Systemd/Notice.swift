import CSystemd
import Glibc
import SafeText

/// What a service tells its manager about itself.
package enum Notice: Sendable, Equatable {
    /// It serves; with a line for `systemctl status`.
    case ready(status: String)
    /// A line for `systemctl status`.
    case status(String)
    /// It reads its configuration again, from this moment on; ``ready(status:)`` says that it is done.
    case reloading
    /// It is on its way out.
    case stopping
    /// It is alive.
    case alive

    /// The text that goes to the manager.
    package var text: String {
        switch self {
        case .ready(let status): "READY=1\nSTATUS=\(Self.line(status))"
        case .status(let status): "STATUS=\(Self.line(status))"
        // The time lets the manager tell this reload's end from an earlier one's (`Type=notify-reload`).
        case .reloading: "RELOADING=1\nMONOTONIC_USEC=\(Self.monotonicMicroseconds)"
        case .stopping: "STOPPING=1"
        case .alive: "WATCHDOG=1"
        }
    }

    /// Sends it; where no manager listens, nothing happens.
    ///
    /// It may block while the manager is busy, so it has no place on an event loop.
    package func send() {
        // A manager that can't be told can't be told so either.
        _ = unsafe sd_notify(0, text)
    }

    /// One line: a line end in it would begin another notice.
    private static func line(_ text: String) -> String {
        text.printable
    }

    private static var monotonicMicroseconds: Int64 {
        var now = timespec()
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1_000
    }
}
