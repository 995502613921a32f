import Glibc
import SocketServer

/// One connection of a load, which keeps a number of requests in flight.
///
/// Its owner closes it.
struct LoadConnection {
    let descriptor: CInt
    private let requests: RequestLines
    private let depth: Int
    /// The times at which the requests in flight were sent, a ring in which the oldest is at `oldest`.
    private var sentAt: [UInt64]
    private var oldest = 0
    private var inFlight = 0
    /// The bytes that the socket has not taken yet.
    private var unsent: [UInt8] = []
    private var written = 0
    private var scanner = ReplyScanner()
    private var random: FastRandom

    init(_ path: String, _ requests: RequestLines, depth: Int, seed: UInt64) throws(UnixConnection.Fault) {
        descriptor = try UnixConnection.open(path)
        self.requests = requests
        self.depth = depth
        sentAt = [UInt64](repeating: 0, count: depth)
        random = FastRandom(seed: seed)
    }

    /// True if the socket has to be writable before the next step.
    var awaitsRoom: Bool { written < unsent.count }
    /// The requests without a reply, and the time at which the oldest was sent.
    var unanswered: (count: Int, since: UInt64) { (inFlight, inFlight > 0 ? sentAt[oldest] : 0) }

    /// Sends as many requests as may be in flight.
    ///
    /// - Returns: False if the connection has ended.
    mutating func send(now: UInt64) -> Bool {
        if !awaitsRoom { refill(now: now) }
        while awaitsRoom {
            let count = unsafe unsent.withUnsafeBytes { bytes in
                unsafe Glibc.send(
                    descriptor,
                    bytes.baseAddress.map { unsafe $0 + written },
                    bytes.count - written,
                    CInt(MSG_NOSIGNAL)
                )
            }
            guard count > 0 else { return errno == EAGAIN || errno == EINTR }
            written += count
        }
        return true
    }

    private mutating func refill(now: UInt64) {
        unsent.removeAll(keepingCapacity: true)
        written = 0
        let lines = requests.lines
        while inFlight < depth {
            unsent += lines.count == 1 ? lines[0] : lines[random.next(below: lines.count)]
            sentAt[(oldest + inFlight) % depth] = now
            inFlight += 1
        }
    }

    /// Reads what has arrived, and calls a function for each reply with the time at which its request was sent.
    ///
    /// - Returns: False if the connection has ended.
    mutating func receive(
        into room: UnsafeMutableRawBufferPointer,
        _ found: (ReplyScanner.Reply, UInt64) -> Void
    ) -> Bool {
        let count = unsafe recv(descriptor, room.baseAddress, room.count, 0)
        if count < 0 { return errno == EAGAIN || errno == EINTR }
        guard count > 0 else { return false }
        unsafe scanner.scan(UnsafeRawBufferPointer(rebasing: room[..<count])) { reply in
            // A line beyond the requests is no reply.
            guard inFlight > 0 else { return }
            found(reply, sentAt[oldest])
            oldest = oldest + 1 == depth ? 0 : oldest + 1
            inFlight -= 1
        }
        return true
    }
}

/// A fast generator of random numbers, as the choice of the next key must not count in the measurement.
private struct FastRandom {
    private var state: UInt64

    init(seed: UInt64) { state = seed | 1 }

    mutating func next(below limit: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state % UInt64(limit))
    }
}
