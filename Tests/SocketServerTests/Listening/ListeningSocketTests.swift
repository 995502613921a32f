import Foundation
import Glibc
import SocketServer
import TestSupport
import Testing

@Suite("Binding a socket")
struct ListeningSocketTests {
    private func address(
        _ directory: TemporaryDirectory,
        mode: UInt32 = 0o640,
        group: String? = nil
    ) -> ListeningSocket.Address {
        ListeningSocket.Address(path: directory.path("s"), mode: mode, group: group)
    }

    private func status(_ path: String) -> stat {
        var status = stat()
        _ = unsafe lstat(path, &status)
        return status
    }

    @Test("It has its mode and group, accepts connections, and leaves nothing else in the directory.")
    func binds() throws {
        let directory = try TemporaryDirectory()
        let socket = try ListeningSocket.bind(address(directory, group: "\(getgid())"))
        defer { close(socket.descriptor) }
        #expect(status(socket.path).st_mode & 0o7777 == 0o640)
        #expect(status(socket.path).st_gid == getgid())
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["s"])
        _ = try LineClient(socket.path)
    }

    @Test("The socket of a running daemon is not replaced, but that of a daemon that has ended is.")
    func occupied() throws {
        let directory = try TemporaryDirectory()
        let first = try ListeningSocket.bind(address(directory))
        #expect(throws: ListeningSocketError.inUse(first.path)) { try ListeningSocket.bind(address(directory)) }
        _ = try LineClient(first.path)
        close(first.descriptor)
        let second = try ListeningSocket.bind(address(directory))
        defer { close(second.descriptor) }
        _ = try LineClient(second.path)
        // The daemon that has ended must not remove the running one's name.
        first.removeName()
        #expect(status(second.path).st_mode != 0)
        second.removeName()
        #expect(status(second.path).st_mode == 0)
    }

    @Test("The wait for another daemon's lock has a limit, and a killed daemon leaves no lock.")
    func locked() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("s.lock")
        let lock = unsafe open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o200)
        #expect(flock(lock, LOCK_EX) == 0)
        let reason = "another process holds its lock \(path)"
        let error = ListeningSocketError.failed(directory.path("s"), reason, EWOULDBLOCK)
        #expect(throws: error) { try ListeningSocket.bind(address(directory), lockTimeout: .milliseconds(1)) }
        close(lock)
        let socket = try ListeningSocket.bind(address(directory))
        close(socket.descriptor)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["s"])
    }

    @Test("A lock of the directory, which any reader can have, keeps no daemon from starting or ending.")
    func lockedDirectory() throws {
        let directory = try TemporaryDirectory()
        let lock = unsafe open(directory.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { close(lock) }
        #expect(flock(lock, LOCK_EX) == 0)
        let socket = try ListeningSocket.bind(address(directory), lockTimeout: .zero)
        close(socket.descriptor)
        socket.removeName()
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == [])
    }

    @Test("A path can be as long as the kernel allows, also in a process with thousands of descriptors.")
    func longest() throws {
        let directory = try TemporaryDirectory()
        // The lowest number that the next descriptors get has four digits.
        let taken = (0..<1_000).map { _ in dup(0) }
        defer { for descriptor in taken where descriptor >= 0 { close(descriptor) } }
        // Its last use would otherwise be before the socket is bound, and the directory goes with its last reference.
        defer { withExtendedLifetime(directory) {} }
        let path = directory.path(String(repeating: "x", count: 107 - directory.path("").utf8.count))
        #expect(path.utf8.count == 107)
        let socket = try ListeningSocket.bind(ListeningSocket.Address(path: path, mode: 0o600))
        defer { close(socket.descriptor) }
        _ = try LineClient(path)
    }

    @Test("A file that is no socket, an unknown group and a path that is too long are errors.")
    func errors() throws {
        let directory = try TemporaryDirectory()
        try directory.write("precious", to: "s")
        #expect(throws: ListeningSocketError.notASocket(directory.path("s"))) {
            try ListeningSocket.bind(address(directory))
        }
        #expect(try String(contentsOfFile: directory.path("s"), encoding: .utf8) == "precious")
        let other = ListeningSocket.Address(path: directory.path("t"), mode: 0o600, group: "no-such-group")
        #expect(throws: ListeningSocketError.unknownGroup("no-such-group", path: other.path)) {
            try ListeningSocket.bind(other)
        }
        let long = directory.path(String(repeating: "x", count: 120))
        #expect(throws: ListeningSocketError.pathTooLong(long)) {
            try ListeningSocket.bind(ListeningSocket.Address(path: long, mode: 0o600))
        }
        let sentence = "its lock /nonexistent/s.lock can't be opened"
        let error = ListeningSocketError.failed("/nonexistent/s", sentence, ENOENT)
        #expect(throws: error) {
            try ListeningSocket.bind(ListeningSocket.Address(path: "/nonexistent/s", mode: 0o600))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["s"])
    }
}
