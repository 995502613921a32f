import Glibc
import Systemd
import TestSupport
import Testing

@Suite("Sockets that systemd hands over")
struct HandedOverSocketsTests {
    @Test(
        "Sockets are told apart by their names, in any order.",
        arguments: [["requests", "admin"], ["admin", "requests"]]
    )
    func names(names: [String]) throws {
        var sockets = HandedOverSockets()
        for (index, name) in names.enumerated() { try sockets.add(CInt(index) + 3, named: name) }
        #expect(sockets.requests == (names[0] == "requests" ? 3 : 4))
        #expect(sockets.admin == (names[0] == "admin" ? 3 : 4))
    }

    @Test("One socket may come without the other.")
    func one() throws {
        var sockets = HandedOverSockets()
        try sockets.add(3, named: "admin")
        #expect(sockets.requests == nil)
        #expect(sockets.admin == 3)
    }

    @Test("A name that comes twice is refused, and so is one that means nothing.")
    func wrongNames() throws {
        var sockets = HandedOverSockets()
        try sockets.add(3, named: "admin")
        #expect(throws: HandedOverSocketsError.twice("admin")) { try sockets.add(4, named: "admin") }
        // systemd's own names: of a unit without FileDescriptorName=, and where LISTEN_FDNAMES is missing.
        for name in ["tokencached.socket", "unknown", "", "Requests"] {
            #expect(throws: HandedOverSocketsError.unknownName(name)) { try sockets.add(4, named: name) }
        }
        #expect(sockets.requests == nil)
        #expect(sockets.admin == 3)
    }

    @Test(
        "Each fault's sentence says what to write into the unit.",
        arguments: [
            (HandedOverSocketsError.twice("admin"), "'admin'", "FileDescriptorName=requests"),
            (.unknownName("x"), "'x'", "FileDescriptorName=requests or FileDescriptorName=admin"),
            (.notAListeningSocket("admin"), "'admin'", "ListenStream="),
            (.unreadable(code: EINVAL), "Invalid argument", "LISTEN_FDNAMES"),
        ]
    )
    func sentences(fault: HandedOverSocketsError, what: String, remedy: String) {
        #expect(fault.description.contains(what))
        #expect(fault.description.contains(remedy))
    }

    @Test("Only a Unix stream socket that listens is taken.")
    func listening() throws {
        let folder = try TemporaryDirectory()
        let kinds = [
            (CInt(AF_UNIX), SOCK_STREAM, true, true), (CInt(AF_UNIX), SOCK_STREAM, false, false),
            (CInt(AF_UNIX), SOCK_SEQPACKET, true, false), (CInt(AF_INET), SOCK_STREAM, true, false),
        ]
        for (family, type, listens, isTaken) in kinds {
            let descriptor = socket(family, CInt(type.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
            try #require(descriptor >= 0)
            defer { close(descriptor) }
            // Unbound Unix sockets can't listen; bound by its family alone, one gets an abstract name from the kernel.
            var address = sockaddr()
            address.sa_family = sa_family_t(family)
            let size = family == AF_UNIX ? MemoryLayout<sa_family_t>.size : MemoryLayout<sockaddr_in>.size
            #expect(unsafe bind(descriptor, &address, socklen_t(size)) == 0)
            if listens { #expect(listen(descriptor, 1) == 0) }
            #expect(HandedOverSockets.isListening(descriptor) == isTaken)
        }
        let file = unsafe open(try folder.write("", to: "file"), O_RDONLY | O_CLOEXEC)
        defer { close(file) }
        #expect(!HandedOverSockets.isListening(file))
        #expect(!HandedOverSockets.isListening(-1))
    }

    // What libsystemd reads from the environment is the whole process's: each of these has a process of its own.

    @Test("A process that nothing was handed to has no sockets.")
    func none() async {
        await #expect(processExitsWith: .success) {
            for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { unsafe unsetenv(name) }
            let sockets = try HandedOverSockets.take()
            #expect(sockets == HandedOverSockets())
        }
    }

    @Test("Sockets for another process, such as a parent that has handed its environment on, are left alone.")
    func others() async {
        await #expect(processExitsWith: .success) {
            unsafe setenv("LISTEN_PID", "1", 1)
            unsafe setenv("LISTEN_FDS", "2", 1)
            unsafe setenv("LISTEN_FDNAMES", "requests:admin", 1)
            let sockets = try HandedOverSockets.take()
            #expect(sockets == HandedOverSockets())
        }
    }

    @Test("An environment that can't be read is a fault, not an absence, and is cleared.")
    func unreadable() async {
        await #expect(processExitsWith: .success) {
            unsafe setenv("LISTEN_PID", "\(getpid())", 1)
            unsafe setenv("LISTEN_FDS", "two", 1)
            #expect(throws: HandedOverSocketsError.unreadable(code: EINVAL)) { try HandedOverSockets.take() }
            #expect(unsafe getenv("LISTEN_FDS") == nil)
        }
    }
}
