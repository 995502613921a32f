import FleetProtocol
import Glibc
import SystemPackage
import TestSupport

/// A connection to an engine that waits for each reply.
final class EngineClient {
    struct Failure: Error {
        var reason: String
    }

    private let descriptor: FileDescriptor
    private var parser = RespParser()

    init(_ engine: EngineServer) throws {
        descriptor = FileDescriptor(
            rawValue: socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        )
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: engine.socket.utf8) }
        let connected = unsafe withUnsafePointer(to: address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor.rawValue, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard connected == 0 else { throw Failure(reason: "no connection: error \(errno)") }
        var limit = timeval(tv_sec: TestTimeout.seconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        _ = unsafe setsockopt(descriptor.rawValue, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
    }

    deinit { try? descriptor.close() }

    /// Sends a command, and returns the reply to it.
    func ask(_ command: EngineCommand) throws -> RespValue {
        try descriptor.writeAll(command.encoded)
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            if let value = try parser.next() { return value }
            let count = try unsafe chunk.withUnsafeMutableBytes { unsafe try descriptor.read(into: $0) }
            guard count > 0 else { throw Failure(reason: "the engine has closed the connection") }
            parser.append(chunk[..<count])
        }
    }

    /// Runs a script, and loads it if the engine doesn't have it.
    func ask(_ call: EngineCall) throws -> EngineAnswer {
        var reply = try ask(call.command)
        if reply.errorCode == "NOSCRIPT" { reply = try ask(call.loadingCommand) }
        return try EngineAnswer(to: call, reply)
    }
}
