import Glibc
import SystemPackage
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

    @Test("One socket may be handed over without the other.")
    func one() throws {
        var sockets = HandedOverSockets()
        try sockets.add(3, named: "admin")
        #expect(sockets.requests == nil)
        #expect(sockets.admin == 3)
    }

    @Test("A duplicate name is rejected, and so is an unknown one.")
    func wrongNames() throws {
        var sockets = HandedOverSockets()
        try sockets.add(3, named: "admin")
        #expect(throws: HandedOverSocketsError.duplicateName("admin")) { try sockets.add(4, named: "admin") }
        // These are systemd's own names: for a unit without FileDescriptorName=, and without LISTEN_FDNAMES.
        for name in ["tokencached.socket", "unknown", "", "Requests"] {
            #expect(throws: HandedOverSocketsError.unknownName(name)) { try sockets.add(4, named: name) }
        }
        #expect(sockets.requests == nil)
        #expect(sockets.admin == 3)
    }

    @Test(
        "Each fault's sentence says what to write into the unit.",
        arguments: [
            (HandedOverSocketsError.duplicateName("admin"), "'admin'", "FileDescriptorName=requests"),
            (.unknownName("x"), "'x'", "FileDescriptorName=requests or FileDescriptorName=admin"),
            (.notAListeningSocket("admin"), "'admin'", "ListenStream="),
            (.unreadable(.invalidArgument), "Invalid argument", "LISTEN_FDNAMES"),
        ]
    )
    func sentences(fault: HandedOverSocketsError, what: String, remedy: String) {
        #expect(fault.description.contains(what))
        #expect(fault.description.contains(remedy))
    }

    @Test("Only a Unix stream socket that listens is accepted.")
    func listening() throws {
        let directory = try TemporaryDirectory()
        let kinds = [
            (CInt(AF_UNIX), SOCK_STREAM, true, true), (CInt(AF_UNIX), SOCK_STREAM, false, false),
            (CInt(AF_UNIX), SOCK_SEQPACKET, true, false), (CInt(AF_INET), SOCK_STREAM, true, false),
        ]
        for (family, type, listens, isAccepted) in kinds {
            let descriptor = socket(family, CInt(type.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
            try #require(descriptor >= 0)
            defer { close(descriptor) }
            // An unbound Unix socket can't listen. One that is bound by its family alone gets an abstract name.
            var address = sockaddr()
            address.sa_family = sa_family_t(family)
            let size = family == AF_UNIX ? MemoryLayout<sa_family_t>.size : MemoryLayout<sockaddr_in>.size
            #expect(unsafe bind(descriptor, &address, socklen_t(size)) == 0)
            if listens { #expect(listen(descriptor, 1) == 0) }
            #expect(HandedOverSockets.isListening(descriptor) == isAccepted)
        }
        let file = unsafe open(try directory.write("", to: "file"), O_RDONLY | O_CLOEXEC)
        defer { close(file) }
        #expect(!HandedOverSockets.isListening(file))
        #expect(!HandedOverSockets.isListening(-1))
    }

    // libsystemd reads the environment of the whole process, so each of these tests has a process of its own.

    @Test("A process to which nothing was handed over has no sockets.")
    func none() async {
        await #expect(processExitsWith: .success) {
            for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { unsafe unsetenv(name) }
            let sockets = try HandedOverSockets.take()
            #expect(sockets == HandedOverSockets())
        }
    }

    @Test("Sockets for another process are left alone, such as a parent that passes on its environment.")
    func others() async {
        await #expect(processExitsWith: .success) {
            unsafe setenv("LISTEN_PID", "1", 1)
            unsafe setenv("LISTEN_FDS", "2", 1)
            unsafe setenv("LISTEN_FDNAMES", "requests:admin", 1)
            let sockets = try HandedOverSockets.take()
            #expect(sockets == HandedOverSockets())
        }
    }

    @Test("A malformed environment is a fault, not an absence, and is cleared.")
    func unreadable() async {
        await #expect(processExitsWith: .success) {
            unsafe setenv("LISTEN_PID", "\(getpid())", 1)
            unsafe setenv("LISTEN_FDS", "two", 1)
            #expect(throws: HandedOverSocketsError.unreadable(.invalidArgument)) { try HandedOverSockets.take() }
            #expect(unsafe getenv("LISTEN_FDS") == nil)
        }
    }
}
