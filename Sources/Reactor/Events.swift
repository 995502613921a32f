import CLinux
import Glibc

/// The events of a descriptor.
package struct Events: OptionSet, Sendable {
    /// The bits of epoll(7).
    package let rawValue: UInt32

    /// Creates a set from bits of epoll(7).
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Bytes or connections can be taken, or the end of the input.
    package static let readable = Events(rawValue: EPOLLIN.rawValue)
    /// Bytes can be sent.
    package static let writable = Events(rawValue: EPOLLOUT.rawValue)
    /// The peer sends no more.
    package static let inputEnded = Events(rawValue: EPOLLRDHUP.rawValue)
    /// The peer has closed the connection, or it is broken.
    package static let hangUp = Events(rawValue: EPOLLHUP.rawValue | EPOLLERR.rawValue)

    /// True if the descriptor has anything to read, be it an end or a fault.
    package var concernReading: Bool { !isDisjoint(with: [.readable, .inputEnded, .hangUp]) }
}
