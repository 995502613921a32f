import Glibc
import Reactor
import Synchronization
import SystemPackage
import Testing

/// An end of a pair of sockets that calls a function when it is ready.
private final class TestSource: EventSource {
    let descriptor: CInt
    var onReady: (Events) -> Void = { _ in }

    init(_ descriptor: CInt) { self.descriptor = descriptor }

    func ready(_ events: Events) { onReady(events) }
}

/// An actor on a reactor.
private actor Resident {
    private nonisolated let reactor: Reactor
    private var calls = 0

    init(_ reactor: Reactor) { self.reactor = reactor }

    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe reactor.asUnownedSerialExecutor() }

    func call() -> Int {
        calls += 1
        return calls
    }

    func isOnReactor() -> Bool { reactor.isOwnThread }
}

/// A clock that a test advances.
private final class Clock: Sendable {
    private let now = Mutex(ContinuousClock.now)
    var time: ContinuousClock.Instant { now.withLock(\.self) }
    func advance(by duration: Duration) { now.withLock { $0 += duration } }
}

private func pairOfSockets() throws -> (CInt, CInt) {
    var ends: [CInt] = [-1, -1]
    let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
    try #require(unsafe socketpair(AF_UNIX, type, 0, &ends) == 0)
    return (ends[0], ends[1])
}

private func send(_ count: Int, to descriptor: CInt) {
    let bytes = [UInt8](repeating: 1, count: count)
    #expect(unsafe write(descriptor, bytes, count) == count)
}

@Suite("The reactor")
struct ReactorTests {
    // MARK: Jobs

    @Test("Functions from other threads are run on its own thread, in their order, also when it sleeps.")
    func functions() async throws {
        let reactor = try Reactor.start(named: "test")
        let numbers = Mutex([Int]())
        for number in 0..<1_000 {
            reactor.execute { numbers.withLock { $0.append(reactor.isOwnThread ? number : -1) } }
        }
        await withCheckedContinuation { done in reactor.execute { done.resume() } }
        #expect(numbers.withLock(\.self) == Array(0..<1_000))
        #expect(!reactor.isOwnThread)
        reactor.stop()
    }

    @Test("An actor on it is called on its thread, and a source calls that actor without a hop.")
    func executor() async throws {
        let reactor = try Reactor.start(named: "test")
        let resident = Resident(reactor)
        #expect(await resident.isOnReactor())
        for number in 1...100 { #expect(await resident.call() == number) }
        let called = await withCheckedContinuation { (done: CheckedContinuation<Bool, Never>) in
            reactor.execute {
                let timer = ReactorTimer(on: reactor) { done.resume(returning: resident.assumeIsolated { _ in true }) }
                timer.schedule(in: .zero)
            }
        }
        #expect(called)
        reactor.stop()
    }

    @Test("A function that adds itself again and again keeps no socket from being served.")
    func fairness() throws {
        let reactor = try Reactor()
        let (own, other) = try pairOfSockets()
        let source = TestSource(own)
        var isServed = false
        source.onReady = { _ in isServed = true }
        try reactor.register(source, for: .reading)
        repeatForEver(on: reactor)
        reactor.turn(mayWait: true)
        send(1, to: other)
        for _ in 0..<2 { reactor.turn(mayWait: true) }
        #expect(isServed)
        reactor.deregister(source)
        for descriptor in [own, other] { close(descriptor) }
    }

    private func repeatForEver(on reactor: Reactor) {
        reactor.execute { self.repeatForEver(on: reactor) }
    }

    // MARK: Sources

    @Test("New bytes are reported once, and a change of the interest reports what is there again.")
    func edges() throws {
        let reactor = try Reactor()
        let (own, other) = try pairOfSockets()
        let source = TestSource(own)
        var events: [Events] = []
        source.onReady = { events.append($0) }
        try reactor.register(source, for: .reading)
        send(1, to: other)
        for _ in 0..<3 { reactor.turn(mayWait: false) }
        #expect(events == [.readable])
        try reactor.change(source, to: .readingAndWriting)
        for _ in 0..<3 { reactor.turn(mayWait: false) }
        #expect(events == [.readable, [.readable, .writable]])
        shutdown(other, CInt(SHUT_WR))
        reactor.turn(mayWait: false)
        #expect(events.last?.contains(.inputEnded) == true)
        close(other)
        reactor.turn(mayWait: false)
        #expect(events.last?.isDisjoint(with: .hangUp) == false)
        reactor.deregister(source)
        close(own)
    }

    @Test("A source that another one closes in the same turn isn't called, nor is a new one with its descriptor.")
    func closedInTurn() throws {
        let reactor = try Reactor()
        let pairs = try (0..<2).map { _ in try pairOfSockets() }
        let sources = pairs.map { TestSource($0.0) }
        var (calls, isReplaced) = (0, false)
        var replacement: TestSource?
        for (index, source) in sources.enumerated() {
            source.onReady = { _ in
                calls += 1
                let next = sources[1 - index]
                reactor.deregister(next)
                // It closes the other source's descriptor, and gives its number to another file.
                #expect(dup2(source.descriptor, next.descriptor) == next.descriptor)
                let new = TestSource(next.descriptor)
                new.onReady = { _ in isReplaced = true }
                replacement = new
                // An event of this turn is not the new source's, though the descriptor is the same.
                try? reactor.register(new, for: .nothing)
            }
            try reactor.register(source, for: .reading)
        }
        for pair in pairs { send(1, to: pair.1) }
        reactor.turn(mayWait: false)
        #expect(calls == 1)
        #expect(!isReplaced)
        if let replacement { reactor.deregister(replacement) }
        for descriptor in [pairs[0].0, pairs[0].1, pairs[1].0, pairs[1].1] { close(descriptor) }
    }

    @Test("A wait that a signal or a fault ends has no events. The next turn finds them.", arguments: [EINTR, EBADF])
    func failedWait(error: CInt) throws {
        let failing = Atomic(true)
        let kernel = SystemCalls.kernel
        var calls = kernel
        unsafe calls.wait = { epoll, events, count, timeout in
            unsafe failing.load(ordering: .relaxed) ? -Int(error) : kernel.wait(epoll, events, count, timeout)
        }
        let reactor = try Reactor(calls: calls)
        let (own, other) = try pairOfSockets()
        let source = TestSource(own)
        var count = 0
        source.onReady = { _ in count += 1 }
        try reactor.register(source, for: .reading)
        send(1, to: other)
        reactor.turn(mayWait: true)
        #expect(count == 0)
        failing.store(false, ordering: .relaxed)
        reactor.turn(mayWait: true)
        #expect(count == 1)
        reactor.deregister(source)
        for descriptor in [own, other] { close(descriptor) }
    }

    @Test("A descriptor that can't be waited for is an error.")
    func badDescriptor() throws {
        let reactor = try Reactor()
        #expect(throws: Errno.badFileDescriptor) { try reactor.register(TestSource(99_999), for: .reading) }
    }

    // MARK: Timers

    @Test("Timers are called at their times, once each, and not after they were cancelled or set to a later time.")
    func timers() throws {
        let clock = Clock()
        let reactor = try Reactor(now: { clock.time })
        var calls: [String] = []
        let first = ReactorTimer(on: reactor) { calls.append("first") }
        let moved = ReactorTimer(on: reactor) { calls.append("moved") }
        let cancelled = ReactorTimer(on: reactor) { calls.append("cancelled") }
        first.schedule(in: .seconds(1))
        moved.schedule(in: .seconds(1))
        cancelled.schedule(in: .seconds(1))
        moved.schedule(in: .seconds(2))
        cancelled.schedule(at: nil)
        clock.advance(by: .milliseconds(999))
        reactor.turn(mayWait: false)
        #expect(calls.isEmpty)
        clock.advance(by: .milliseconds(1))
        for _ in 0..<2 { reactor.turn(mayWait: false) }
        #expect(calls == ["first"])
        #expect(!first.isScheduled && moved.isScheduled)
        clock.advance(by: .seconds(10))
        for _ in 0..<2 { reactor.turn(mayWait: false) }
        #expect(calls == ["first", "moved"])
    }

    @Test("A timer that another one cancels at the same time isn't called, and one that sets itself is called again.")
    func timersAmongThemselves() throws {
        let clock = Clock()
        let reactor = try Reactor(now: { clock.time })
        var calls = 0
        var timers: [ReactorTimer] = []
        for index in 0..<2 {
            timers.append(
                ReactorTimer(on: reactor) {
                    calls += 1
                    timers[1 - index].schedule(at: nil)
                    timers[index].schedule(in: .zero)
                }
            )
        }
        for timer in timers { timer.schedule(in: .zero) }
        reactor.turn(mayWait: false)
        #expect(calls == 1)
        reactor.turn(mayWait: false)
        #expect(calls == 2)
        for timer in timers { timer.schedule(at: nil) }
        timers = []
    }

    @Test("The kernel's timer ends the wait, also if another time is set in its place.", .timeLimit(.minutes(1)))
    func kernelTimer() throws {
        let reactor = try Reactor()
        var calls = 0
        let timer = ReactorTimer(on: reactor) { calls += 1 }
        for number in 1...20 {
            timer.schedule(in: .seconds(3_600))
            timer.schedule(in: .microseconds(200))
            timer.schedule(in: .microseconds(400))
            while calls < number { reactor.turn(mayWait: true) }
            #expect(calls == number)
        }
    }

    @Test("The end of each turn is announced, and a turn that is wanted soon doesn't wait.", .timeLimit(.minutes(1)))
    func turns() throws {
        let reactor = try Reactor()
        var turns = 0
        reactor.turnEnded = {
            turns += 1
            reactor.turnSoon()
        }
        reactor.turnSoon()
        for _ in 0..<3 { reactor.turn(mayWait: true) }
        #expect(turns == 3)
    }
}
