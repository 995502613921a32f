import Foundation
import Glibc
import NIOCore
import NIOPosix
import SocketServer
import TestSupport
import Testing
import TokenProtocol

@Suite("Listening")
struct ListenerTests {
    private func serve(
        _ socket: ListeningSocket,
        on loop: any EventLoop,
        isHandedOver: Bool
    ) async throws -> NIOLoopBound<SocketServer> {
        let server = try await loop.submit {
            let server = SocketServer(on: loop, maxConnections: 1_000, requestHandler: RecordingHandler())
            return NIOLoopBound(server, eventLoop: loop)
        }.get()
        try await loop.flatSubmit {
            server.value.listen(on: socket.descriptor, kind: .requests, isHandedOver: isHandedOver)
        }.get()
        return server
    }

    /// Connects without waiting, or returns a negative number if the queue is full.
    private func connectAtOnce(_ path: String) -> CInt {
        let kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_UNIX, kind, 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        let result = unsafe withUnsafePointer(to: address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result != 0 else { return descriptor }
        close(descriptor)
        return -1
    }

    @Test("While the loop is busy, more peers can queue than NIO's own backlog allows.")
    func backlog() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let directory = try TemporaryDirectory()
        let socket = try ListeningSocket.bind(.init(path: directory.path("s"), mode: 0o600))
        let server = try await serve(socket, on: group.next(), isHandedOver: false)
        let gate = DispatchSemaphore(value: 0)
        group.next().execute { gate.wait() }
        let descriptors = (0..<300).map { _ in connectAtOnce(socket.path) }
        gate.signal()
        #expect(descriptors.allSatisfy { $0 >= 0 })
        for descriptor in descriptors where descriptor >= 0 { close(descriptor) }
        try await group.next().flatSubmit { server.value.drain(within: .seconds(10)) }.get()
        try await group.shutdownGracefully()
    }

    @Test("A drain leaves new connections to a handed-over socket in the queue, for the next daemon.")
    func handedOver() async throws {
        let directory = try TemporaryDirectory()
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let socket = try ListeningSocket.bind(.init(path: directory.path("s"), mode: 0o600))
        let kept = dup(socket.descriptor)
        defer { close(kept) }
        let server = try await serve(socket, on: loop, isHandedOver: true)
        // The waiting request keeps the drain from ending at once.
        let busy = try LineClient(socket.path)
        try busy.send(#"{"op":"token","subject":"ann"}"#)
        _ = try busy.ask(#"{"op":"hello","id":1}"#)
        // This runs on the loop, so nothing can be accepted in between, and the grace period has not passed.
        let (drained, next) = try await loop.submit {
            (server.value.drain(within: .milliseconds(200)), self.connectAtOnce(socket.path))
        }.get()
        #expect(next >= 0)
        try await drained.get()
        let accepted = accept(kept, nil, nil)
        #expect(accepted >= 0, "the connection is still in the queue")
        for descriptor in [next, accepted] where descriptor >= 0 { close(descriptor) }
    }
}
