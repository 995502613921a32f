import Foundation
import Glibc
import Synchronization

/// A connection to a Unix socket as a plain program makes it.
///
/// It blocks, and every wait has a timeout.
package final class LineClient: Sendable {
    private let descriptor: CInt
    private let pending = Mutex<[UInt8]>([])

    /// A failure of the connection.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// Connects to a path.
    package init(_ path: String) throws {
        descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        let connected = unsafe withUnsafePointer(to: address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        // The descriptor is closed once, by the deinitialiser, which runs as all properties are set.
        guard connected == 0 else { throw Failure(description: "no connection to \(path): error \(errno)") }
        var limit = timeval(tv_sec: TestTimeout.seconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
    }

    deinit { close(descriptor) }

    /// Sends a line.
    package func send(_ line: String) throws { try send(Array((line + "\n").utf8)) }

    /// Sends bytes as they are.
    package func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.send(
                    descriptor,
                    buffer.baseAddress.map { unsafe $0 + sent },
                    bytes.count - sent,
                    CInt(MSG_NOSIGNAL)
                )
            }
            guard count > 0 else { throw Failure(description: "sending failed: error \(errno)") }
            sent += count
        }
    }

    /// The next line, or nil if the connection has ended.
    package func line() throws -> String? {
        while true {
            if let line = takeLine() { return line }
            var chunk = [UInt8](repeating: 0, count: 65_536)
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
            guard count >= 0 else {
                if errno == ECONNRESET { return nil }
                throw Failure(description: "no reply came: error \(errno)")
            }
            guard count > 0 else { return nil }
            pending.withLock { $0 += chunk[..<count] }
        }
    }

    private func takeLine() -> String? {
        pending.withLock { pending in
            guard let end = pending.firstIndex(of: 0x0A) else { return nil }
            defer { pending.removeFirst(end + 1) }
            return String(decoding: pending[..<end], as: UTF8.self)
        }
    }

    /// Sends a line and returns the members of the next one.
    package func ask(_ line: String) throws -> [String: Any] {
        try send(line)
        return try reply()
    }

    /// The members of the next line.
    package func reply() throws -> [String: Any] {
        guard let line = try line() else { throw Failure(description: "the connection ended before the reply") }
        guard let members = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else {
            throw Failure(description: "the reply is no object: \(line)")
        }
        return members
    }

    /// Ends the sending side.
    ///
    /// Replies can still arrive.
    package func endSending() { shutdown(descriptor, CInt(SHUT_WR)) }
}
