import Glibc
import Reactor
import Synchronization
import SystemPackage
import Testing

/// The results of a call, one after another, as the kernel would give them.
private final class Script: Sendable {
    private let results: Mutex<[Int]>

    init(_ results: [Int]) { self.results = Mutex(results) }

    func next() -> Int { results.withLock { $0.removeFirst() } }
    var isOver: Bool { results.withLock(\.isEmpty) }
}

@Suite("The outcomes of calls on sockets")
struct SocketCallTests {
    @Test(
        "Each result of recv(2) has one outcome, and an interrupted call is repeated.",
        arguments: [
            ([5], StreamSocket.Received.bytes(5)),
            ([0], .end),
            ([-Int(EAGAIN)], .nothing),
            ([-Int(EINTR), -Int(EINTR), 3], .bytes(3)),
            ([-Int(EINTR), -Int(EAGAIN)], .nothing),
            ([-Int(ECONNRESET)], .failed(.connectionReset)),
            ([-Int(ENOMEM)], .failed(.noMemory)),
        ]
    )
    func receive(results: [Int], outcome: StreamSocket.Received) {
        let script = Script(results)
        var calls = SystemCalls.kernel
        unsafe calls.receive = { _, _, _ in script.next() }
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 8, alignment: 1)
        defer { unsafe memory.deallocate() }
        #expect(unsafe StreamSocket(-1, calls: calls).receive(into: memory) == outcome)
        #expect(script.isOver)
    }

    @Test(
        "Each result of send(2) has one outcome, and an interrupted call is repeated.",
        arguments: [
            ([8], StreamSocket.Sent.bytes(8)),
            ([3], .bytes(3)),
            ([-Int(EAGAIN)], .bytes(0)),
            ([-Int(EINTR), 8], .bytes(8)),
            ([-Int(EPIPE)], .failed(.brokenPipe)),
            ([-Int(ECONNRESET)], .failed(.connectionReset)),
            ([-Int(ENOBUFS)], .noMemory),
            ([-Int(ENOMEM)], .noMemory),
        ]
    )
    func send(results: [Int], outcome: StreamSocket.Sent) {
        let script = Script(results)
        var calls = SystemCalls.kernel
        unsafe calls.send = { _, _, _ in script.next() }
        let sent = unsafe [UInt8](repeating: 1, count: 8).withUnsafeBytes {
            unsafe StreamSocket(-1, calls: calls).send($0)
        }
        #expect(sent == outcome)
        #expect(script.isOver)
    }

    @Test(
        "Each result of accept4(2) has one outcome, and one that concerns a single peer is skipped.",
        arguments: [
            ([7], ListeningPort.Accepted.connection(7)),
            ([-Int(EAGAIN)], .nothing),
            ([-Int(EINTR), -Int(ECONNABORTED), 7], .connection(7)),
            ([-Int(EMFILE)], .failed(.tooManyOpenFiles)),
            ([-Int(ENFILE)], .failed(.tooManyOpenFilesInSystem)),
            ([-Int(ENOMEM)], .failed(.noMemory)),
        ]
    )
    func accept(results: [Int], outcome: ListeningPort.Accepted) {
        let script = Script(results)
        var calls = SystemCalls.kernel
        calls.accept = { _ in script.next() }
        #expect(ListeningPort(-1, calls: calls).accept() == outcome)
        #expect(script.isOver)
    }
}
