import Glibc
import SocketServer

/// The part of a load that one thread drives.
struct LoadThread: ~Copyable {
    /// The size of a read in bytes.
    private static let roomForReplies = 262_144
    /// The longest wait for an event, in milliseconds, after which the thread looks if it has to end.
    private static let longestWait: CInt = 100

    private var connections: [LoadConnection] = []
    private var recording: Recording
    private let end: UInt64

    /// Opens the connections.
    ///
    /// - Parameters:
    ///   - numbers: The numbers of the connections among those of all threads.
    ///   - begin: The time at which the load begins.
    init(
        _ settings: LoadSettings,
        _ requests: RequestLines,
        numbers: Range<Int>,
        from begin: UInt64
    ) throws(UnixConnection.Fault) {
        recording = Recording(from: begin, warmUp: settings.warmUp)
        end = begin + nanoseconds(settings.warmUp) + nanoseconds(settings.time)
        for number in numbers {
            do {
                // Neighbouring seeds would choose alike keys at first.
                let seed = UInt64(number + 1) &* 0x9E37_79B9_7F4A_7C15
                connections.append(
                    try LoadConnection(settings.path, requests, depth: settings.pipeline, seed: seed)
                )
            } catch {
                for connection in connections { close(connection.descriptor) }
                throw error
            }
        }
    }

    /// Drives the connections until the time is up, until it is told to end, or until all connections have ended.
    mutating func run(while goesOn: () -> Bool) -> Measurement {
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.roomForReplies, alignment: 16)
        defer { unsafe room.deallocate() }
        defer { for connection in connections { close(connection.descriptor) } }
        var polled = connections.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        var now = nanosecondsNow()
        for index in connections.indices { send(index, &polled, now) }
        while now < end, goesOn(), polled.contains(where: { $0.fd >= 0 }) {
            let count = unsafe poll(&polled, nfds_t(polled.count), Self.longestWait)
            now = nanosecondsNow()
            if count > 0 { unsafe serve(&polled, room, now) }
        }
        return recording.result(connections, now: now)
    }

    private mutating func serve(
        _ polled: inout [pollfd],
        _ room: UnsafeMutableRawBufferPointer,
        _ now: UInt64
    ) {
        for index in polled.indices where polled[index].fd >= 0 && polled[index].revents != 0 {
            var isOpen = true
            if polled[index].revents & ~Int16(POLLOUT) != 0 {
                isOpen = unsafe connections[index].receive(into: room) { reply, sentAt in
                    recording.note(reply, sentAt: sentAt, now: now)
                }
            }
            isOpen ? send(index, &polled, nanosecondsNow()) : drop(index, &polled)
        }
    }

    private mutating func send(_ index: Int, _ polled: inout [pollfd], _ now: UInt64) {
        guard connections[index].send(now: now) else { return drop(index, &polled) }
        polled[index].events = Int16(connections[index].awaitsRoom ? POLLIN | POLLOUT : POLLIN)
    }

    /// Leaves a connection that has ended alone.
    private mutating func drop(_ index: Int, _ polled: inout [pollfd]) {
        polled[index].fd = -1
        recording.noteLostConnection()
    }
}

/// The monotonic clock in nanoseconds.
func nanosecondsNow() -> UInt64 {
    var now = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &now)
    return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
}

func nanoseconds(_ duration: Duration) -> UInt64 { UInt64(duration / .nanoseconds(1)) }
