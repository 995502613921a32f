import Glibc

/// A connection of the load generator: keeps a number of requests in flight and sends a new one for each reply.
struct Connection {
    /// The size of a read in bytes.
    private static let roomForReplies = 1_048_576

    let descriptor: CInt
    private let target: Target
    private let replyLength: Int?
    private var partial = 0
    private var sentAt: [UInt64] = []
    private var first = 0
    private var room = [UInt8](repeating: 0, count: roomForReplies)

    init(_ path: String, _ target: Target, value: Int) throws {
        self.target = target
        replyLength = target.replyLength(value)
        descriptor = try Self.open(path)
    }

    static func open(_ path: String) throws -> CInt {
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let connected = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard connected == 0 else { throw LoadError(text: "no connection to \(path): error \(errno)") }
        return descriptor
    }

    /// Sends requests in one write.
    mutating func send(_ count: Int, _ requests: [[UInt8]], _ random: inout Random) throws {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count * requests[0].count)
        for _ in 0..<count { bytes += requests[random.next(below: requests.count)] }
        let now = nanoseconds()
        for _ in 0..<count { sentAt.append(now) }
        try Self.write(descriptor, bytes)
    }

    /// Reads what has arrived and reports the latency of each complete reply.
    ///
    /// - Returns: The number of replies.
    mutating func receive(_ latency: (UInt64) -> Void) throws -> Int {
        let count = room.withUnsafeMutableBytes {
            recv(descriptor, $0.baseAddress, $0.count, CInt(MSG_DONTWAIT))
        }
        if count < 0, errno == EAGAIN || errno == EINTR { return 0 }
        guard count > 0 else { throw LoadError(text: "the server closed a connection: error \(errno)") }
        let now = nanoseconds()
        let replies = countReplies(count)
        for index in first..<(first + replies) { latency(now - sentAt[index]) }
        first += replies
        if first > 4_096 {
            sentAt.removeFirst(first)
            first = 0
        }
        return replies
    }

    private mutating func countReplies(_ count: Int) -> Int {
        if let replyLength {
            partial += count
            defer { partial %= replyLength }
            return partial / replyLength
        }
        return room.withUnsafeBytes { bytes in
            var replies = 0
            var position = 0
            while position < count, let base = bytes.baseAddress,
                let end = memchr(base + position, 0x0A, count - position)
            {
                replies += 1
                position = UnsafeRawPointer(end) - base + 1
            }
            return replies
        }
    }

    static func write(_ descriptor: CInt, _ bytes: [UInt8]) throws {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress.map { $0 + written }, bytes.count - written, 0)
            }
            guard count > 0 else { throw LoadError(text: "sending failed: error \(errno)") }
            written += count
        }
    }

    /// Reads a number of bytes, or to the end of a line.
    static func read(_ descriptor: CInt, _ length: Int?) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while length.map({ bytes.count < $0 }) ?? (bytes.last != 0x0A) {
            let count = chunk.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
            guard count > 0 else { throw LoadError(text: "the server closed a connection") }
            bytes += chunk[..<count]
        }
        return bytes
    }
}

/// A failure of the measurement, described in a sentence.
struct LoadError: Error, CustomStringConvertible {
    let text: String
    var description: String { text }
}

/// A fast random number generator: choosing the next key must not count in the measurement.
struct Random {
    private var state: UInt64

    init(seed: UInt64) { state = seed | 1 }

    mutating func next(below limit: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state % UInt64(limit))
    }
}

func nanoseconds() -> UInt64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
}
