import CLinux
import Glibc

/// The events that a reactor waits for.
package enum Interest: Sendable {
    /// A connection's bytes, its end and its faults, each reported once when it comes (edge-triggered).
    case reading
    /// The same, and the moment at which the socket accepts bytes again.
    case readingAndWriting
    /// A listening socket's connections, reported as long as there are any (level-triggered).
    case accepting
    /// Nothing, for a listening socket from which nothing is accepted for a while.
    case nothing

    /// The bits of epoll(7).
    var bits: UInt32 {
        let reading = EPOLLIN.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
        return switch self {
        case .reading: reading
        case .readingAndWriting: reading | EPOLLOUT.rawValue
        case .accepting: EPOLLIN.rawValue
        case .nothing: 0
        }
    }
}
