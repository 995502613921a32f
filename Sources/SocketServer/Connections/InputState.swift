import Reactor

/// The state of a socket's input, as its connection knows it.
///
/// The kernel reports new bytes once, so this remembers them while the connection isn't read.
struct InputState {
    /// True if the socket may have bytes that were not read.
    private(set) var isReadable = false
    /// True if the peer has announced the end of its input, so that a read has to find it.
    private(set) var hasEnded = false
    /// True if nobody reads replies, because the peer has closed the connection or it is broken.
    private(set) var isGone = false
    /// True if a read has returned less than there was, so that this peer's bytes are read until there are none.
    private var isSplit = false
    /// True if the next read looks for bytes that the last one has left.
    private var isChecking = false
    /// True if bytes were read since the last look at this connection by ``LeftoverCheck``.
    private(set) var wasRead = false

    /// True if the last read may have left bytes of which the kernel will not tell.
    ///
    /// A socket that has fewer bytes than fit has no more, unless the peer has passed descriptors or urgent data with
    /// them, which end a read early. Asking the kernel at each read, by recvmsg(2), takes a tenth of the time of a hit's
    /// system calls.
    private(set) var isUncertain = false

    /// Takes the events of the socket.
    mutating func note(_ events: Events) {
        isReadable = true
        if events.contains(.inputEnded) { hasEnded = true }
        if !events.isDisjoint(with: .hangUp) { peerIsGone() }
    }

    /// Notes that nobody reads replies any more.
    ///
    /// The bytes that the peer has sent before are still read.
    mutating func peerIsGone() { (isReadable, hasEnded, isGone) = (true, true, true) }

    /// Takes the outcome of a read of this many bytes.
    mutating func received(_ count: Int, of capacity: Int) {
        if isChecking { isSplit = true }
        isReadable = count == capacity || hasEnded || isSplit
        isUncertain = !isReadable
        (isChecking, wasRead) = (false, true)
    }

    /// Notes that a read has found nothing, or the end of the input.
    mutating func receivedNothing() { (isReadable, isUncertain, isChecking) = (false, false, false) }

    /// Lets the next read look for bytes that the last one has left.
    ///
    /// - Parameter isNow: True if it follows at once, so that what it finds was left.
    mutating func check(isNow: Bool) { (isReadable, isUncertain, isChecking) = (true, false, isNow) }

    /// Begins another interval of ``LeftoverCheck``.
    mutating func beginInterval() { wasRead = false }
}
