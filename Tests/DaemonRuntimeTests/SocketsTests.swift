import DaemonConfiguration
import DaemonRuntime
import Foundation
import Glibc
import SocketServer
import Systemd
import TestSupport
import Testing

@Suite("The daemon's sockets", .timeLimit(.minutes(3)))
struct SocketsTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func settings(requests: String = "r", admin: String = "a") throws -> StartSettings {
        let text = """
            sockets: { requests: { path: \(directory.path(requests)) }, admin: { path: \(directory.path(admin)) } }
            tenants: { t: { host: 'https://t.example', client_id: c, client_secret: { file: /s } } }
            """
        return StartSettings(try DaemonConfiguration.parse(Data(text.utf8), file: "c.yaml"))
    }

    /// Binds a socket as systemd does, right under its path, and listens.
    private func bind(_ path: String) throws -> CInt {
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        let bound = unsafe withUnsafePointer(to: address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Glibc.bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0 && listen(descriptor, 1) == 0)
        return descriptor
    }

    private func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: directory.path(name)) }

    @Test("Both sockets are bound, and their names are removed at the end.")
    func bound() throws {
        let sockets = try Sockets(HandedOverSockets(), settings())
        #expect(exists("r") && exists("a"))
        #expect(!sockets.requests.isHandedOver && sockets.requests.path == directory.path("r"))
        sockets.removeNames()
        #expect(!exists("r") && !exists("a"))
    }

    @Test("If the second socket can't be bound, the first one's name is removed.")
    func secondFails() throws {
        #expect(throws: ListeningSocketError.self) { try Sockets(HandedOverSockets(), settings(admin: "none/a")) }
        #expect(!exists("r"))
    }

    @Test("A socket that systemd has handed over is taken as it is, and keeps its name at the end.")
    func handedOver() throws {
        let descriptor = try bind(directory.path("theirs"))
        var handedOver = HandedOverSockets()
        try handedOver.add(descriptor, named: "requests")
        let sockets = try Sockets(handedOver, settings())
        #expect(sockets.requests.descriptor == descriptor && sockets.requests.isHandedOver)
        #expect(sockets.requests.path == directory.path("theirs"))
        #expect(!exists("r") && exists("a"))
        sockets.removeNames()
        #expect(exists("theirs") && !exists("a"))
    }

    @Test("A name that is gone is bound again, but not after the end.")
    func gone() throws {
        let sockets = try Sockets(HandedOverSockets(), settings())
        #expect(try sockets.requests.bindAgainIfGone() == nil)
        try FileManager.default.removeItem(atPath: directory.path("r"))
        #expect(try sockets.requests.bindAgainIfGone() != nil)
        #expect(exists("r"))
        #expect(try sockets.requests.bindAgainIfGone() == nil)
        sockets.removeNames()
        #expect(!exists("r"))
        #expect(try sockets.requests.bindAgainIfGone() == nil)
        #expect(!exists("r"))
    }

    @Test("A socket that was bound again but can't be served loses its name, and is bound once more.")
    func unserved() throws {
        let sockets = try Sockets(HandedOverSockets(), settings())
        try FileManager.default.removeItem(atPath: directory.path("r"))
        #expect(try sockets.requests.bindAgainIfGone() != nil)
        sockets.requests.unbind()
        #expect(!exists("r"))
        #expect(try sockets.requests.bindAgainIfGone() != nil)
        #expect(exists("r"))
        sockets.removeNames()
        #expect(!exists("r"))
    }

    @Test("The lost name of a socket of systemd's is a fault that names the remedy.")
    func lostName() throws {
        var handedOver = HandedOverSockets()
        try handedOver.add(bind(directory.path("theirs")), named: "requests")
        let sockets = try Sockets(handedOver, settings())
        defer { sockets.removeNames() }
        #expect(try sockets.requests.bindAgainIfGone() == nil)
        try FileManager.default.removeItem(atPath: directory.path("theirs"))
        #expect {
            try sockets.requests.bindAgainIfGone()
        } throws: {
            "\($0)" == "socket \(directory.path("theirs")) is gone; restart the socket's unit, which binds it anew"
        }
    }

    @Test("A socket with a lost name is served again under the name, and open connections stay.")
    func watch() async throws {
        try await TestDaemon.run { daemon in
            let watch = SocketWatchService(daemon.frontend, daemon.sockets, log: daemon.log.logger)
            let client = try LineClient(daemon.directory.path("r"))
            #expect(try await client.answer(to: #"{"op":"hello"}"#).server == "tokencached")
            try FileManager.default.removeItem(atPath: daemon.directory.path("r"))
            #expect(await watch.check() == nil)
            #expect(daemon.log.count("it is bound anew failed=1 path=\(daemon.directory.path("r"))") == 1)
            #expect(try await daemon.ask(#"{"op":"hello"}"#).server == "tokencached")
            #expect(try await client.answer(to: #"{"op":"hello"}"#).server == "tokencached")
        }
    }

    @Test("While another daemon has the path, health says that nobody can connect.")
    func taken() async throws {
        try await TestDaemon.run { daemon in
            let watch = SocketWatchService(daemon.frontend, daemon.sockets, log: daemon.log.logger)
            let path = daemon.directory.path("r")
            try FileManager.default.removeItem(atPath: path)
            let other = try ListeningSocket.bind(.init(path: path, mode: 0o600))
            let fault = await watch.check()
            #expect(fault?.contains("another daemon is listening there") == true)
            #expect(await watch.check() == fault)
            #expect(daemon.log.count("nobody can connect") == 1, "the same fault is logged once")
            #expect(try await daemon.ask(#"{"op":"health"}"#, admin: true).status == "failing")
            other.removeName()
            #expect(await watch.check() == nil)
            #expect(try await daemon.ask(#"{"op":"health"}"#, admin: true).status == "ok")
        }
    }
}
