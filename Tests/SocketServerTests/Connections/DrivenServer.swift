import Glibc
import Reactor
import SocketServer
import Synchronization
import Testing
import TokenProtocol

/// The faults that a test injects into the calls of a server's sockets, and the calls' numbers.
final class SocketFaults: Sendable {
    private let counts = Mutex((reads: 0, sends: 0, accepts: 0))
    private let sendError = Atomic<CInt>(0)
    private let acceptError = Atomic<CInt>(0)

    var reads: Int { counts.withLock(\.reads) }
    var sends: Int { counts.withLock(\.sends) }
    var accepts: Int { counts.withLock(\.accepts) }

    /// Makes sends fail with an error from now on, or succeed if it is zero.
    func failSends(with error: CInt) { sendError.store(error, ordering: .relaxed) }

    /// Makes accepts fail with an error from now on, or succeed if it is zero.
    func failAccepts(with error: CInt) { acceptError.store(error, ordering: .relaxed) }

    var calls: SystemCalls {
        let kernel = SystemCalls.kernel
        var calls = kernel
        unsafe calls.receive = { [self] socket, memory, count in
            counts.withLock { $0.reads += 1 }
            return unsafe kernel.receive(socket, memory, count)
        }
        unsafe calls.send = { [self] socket, memory, count in
            counts.withLock { $0.sends += 1 }
            let error = sendError.load(ordering: .relaxed)
            return unsafe error == 0 ? kernel.send(socket, memory, count) : -Int(error)
        }
        calls.accept = { [self] socket in
            counts.withLock { $0.accepts += 1 }
            let error = acceptError.load(ordering: .relaxed)
            return error == 0 ? kernel.accept(socket) : -Int(error)
        }
        return calls
    }
}

/// A clock that a test advances.
final class DrivenClock: Sendable {
    private let now = Mutex(ContinuousClock.now)

    var time: ContinuousClock.Instant { now.withLock(\.self) }

    func advance(by duration: Duration) { now.withLock { $0 += duration } }
}

/// A server with pairs of sockets, on a reactor whose turns and time the test drives.
final class DrivenServer {
    let faults = SocketFaults()
    let clock = DrivenClock()
    let handler = RecordingHandler()
    let reactor: Reactor
    let server: SocketServer

    init(maxConnections: Int = 10, maxUnsent: Int? = nil) throws {
        let clock = clock
        reactor = try Reactor(now: { clock.time })
        server = SocketServer(
            on: reactor,
            calls: faults.calls,
            maxConnections: maxConnections,
            maxUnsent: maxUnsent,
            requestHandler: handler
        )
        server.start()
    }

    deinit {
        server.drain(within: .zero) {}
        advance(by: .seconds(1))
    }

    /// Connects a peer.
    func connect(_ kind: SocketKind = .requests) throws -> DrivenPeer {
        var ends: [CInt] = [-1, -1]
        let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        try #require(unsafe socketpair(AF_UNIX, type, 0, &ends) == 0)
        server.accept(ends[0], kind: kind)
        return DrivenPeer(descriptor: ends[1], servedBy: ends[0])
    }

    /// Performs one turn.
    func turn() { reactor.turn(mayWait: false) }

    /// Performs turns until nothing is left to do for what the peers have sent here.
    func settle() { for _ in 0..<40 { turn() } }

    /// Advances the clock second by second, with a turn after each.
    func advance(by duration: Duration) {
        var left = duration
        while left > .zero {
            let step = min(left, .seconds(1))
            clock.advance(by: step)
            left -= step
            turn()
        }
    }

    /// Makes the socket of a peer's connection accept bytes again, and the kernel tell so.
    func open(_ peer: DrivenPeer) {
        faults.failSends(with: 0)
        var size: CInt = 212_992
        // The kernel tells those that wait for space whenever the size is set.
        _ = unsafe setsockopt(peer.served, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<CInt>.size))
        turn()
    }

    /// Makes all sockets accept no bytes.
    func shut() { faults.failSends(with: EAGAIN) }

    func answerAll() {
        for waiter in handler.waiters { server.deliver(.evicted, to: waiter) }
        settle()
    }
}

/// The peer of a connection, whose calls never wait.
final class DrivenPeer {
    private let descriptor: CInt
    /// The server's end of the connection.
    let served: CInt
    private var isOpen = true

    init(descriptor: CInt, servedBy served: CInt) { (self.descriptor, self.served) = (descriptor, served) }

    deinit { close() }

    func send(_ text: String) throws {
        let bytes = Array(text.utf8)
        try #require(unsafe Glibc.send(descriptor, bytes, bytes.count, CInt(MSG_NOSIGNAL)) == bytes.count)
    }

    /// Sends text together with a descriptor.
    func send(_ text: String, passing passed: CInt) throws {
        var bytes = Array(text.utf8)
        // The length, the level, the type, the descriptor, and padding (cmsg(3)).
        var control = [UInt64](repeating: 0, count: 3)
        let count = unsafe bytes.withUnsafeMutableBytes { bytes in
            unsafe control.withUnsafeMutableBytes { control in
                unsafe control.storeBytes(of: 20, as: UInt.self)
                unsafe control.storeBytes(of: SOL_SOCKET, toByteOffset: 8, as: CInt.self)
                unsafe control.storeBytes(of: CInt(SCM_RIGHTS), toByteOffset: 12, as: CInt.self)
                unsafe control.storeBytes(of: passed, toByteOffset: 16, as: CInt.self)
                var part = unsafe iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
                return unsafe withUnsafeMutablePointer(to: &part) { part in
                    var message = unsafe msghdr()
                    unsafe message.msg_iov = part
                    unsafe message.msg_iovlen = 1
                    unsafe message.msg_control = control.baseAddress
                    unsafe message.msg_controllen = control.count
                    return unsafe sendmsg(descriptor, &message, CInt(MSG_NOSIGNAL))
                }
            }
        }
        try #require(count == bytes.count)
    }

    /// Sends urgent data.
    func sendUrgent(_ text: String) throws {
        let bytes = Array(text.utf8)
        try #require(unsafe Glibc.send(descriptor, bytes, bytes.count, CInt(MSG_OOB)) == bytes.count)
    }

    /// The lines that have come since the last call.
    func received() -> [String] {
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            text += buffer[..<count]
        }
        return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// True if the server has not closed the connection.
    var isActive: Bool {
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return unsafe Glibc.poll(&poll, 1, 0) == 0 || poll.revents & Int16(POLLHUP) == 0
    }

    func endInput() { shutdown(descriptor, CInt(SHUT_WR)) }

    func close() {
        if isOpen { Glibc.close(descriptor) }
        isOpen = false
    }
}
