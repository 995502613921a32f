import Glibc
import Synchronization
package import SystemPackage

// Reactor: one thread that waits for sockets, times and jobs, with epoll.
//
// Purpose: the daemon answers a request in less time than a general event loop needs to hand it over. This one does
// nothing else than wait and call: no channel, no buffer, no future stands between the kernel and the connection.
//
// Promises: everything that is registered here is called on one thread. Sockets, times and jobs get their turn in each
// round, so none of them keeps the others waiting for ever. A fault of a system call is an outcome, never a trap.
//
// Parts: ``Reactor`` is the thread and its rounds, and the serial executor of the actors that live on it. ``Poller``
// waits. ``ReactorTimer`` is a time. ``StreamSocket`` and ``ListeningPort`` are the calls on sockets.

/// A thread that calls event sources, timers and jobs in turns.
///
/// A turn waits for events, calls the sources that are ready, the timers that are due and the jobs that other threads
/// have added, and then ``turnEnded``.
// `@unchecked Sendable`, because most members are not Sendable. It is sound: `inbox`, `now`, `owner` and `poller.wakeUp()`
// may be used from any thread. All other members are used only on the reactor's own thread: each method that touches them
// either traps on another thread (`assertIsOwn()`) or is private and called by one that does.
package final class Reactor: @unchecked Sendable {
    /// The clock of the timers, which goes on while the machine is suspended.
    package typealias Instant = ContinuousClock.Instant

    private let inbox = Inbox()
    private let poller: Poller
    private let now: @Sendable () -> Instant
    /// The thread, or zero before it has begun.
    private let owner = Atomic<UInt>(0)
    private var timers: [ReactorTimer] = []
    private var isStopping = false
    /// True if the next turn doesn't wait for events.
    private var isEager = false

    /// Called at the end of each turn, and set on the reactor's thread.
    package var turnEnded: () -> Void = {} {
        willSet { assertIsOwn() }
    }

    /// Creates a reactor that the calling thread drives by ``turn(mayWait:)``.
    ///
    /// - Parameters:
    ///   - calls: The system calls, which tests replace.
    ///   - now: The clock of the timers.
    /// - Throws: If the kernel has no descriptor or no memory left.
    package convenience init(
        calls: SystemCalls = .kernel,
        now: @escaping @Sendable () -> Instant = { ContinuousClock.now }
    ) throws(Errno) {
        try self.init(Poller(calls), now)
        takeOver()
    }

    /// Creates a reactor with a thread of its own, which runs until ``stop()``.
    ///
    /// - Parameter name: The thread's name, of at most 15 bytes.
    /// - Throws: If the kernel has no descriptor, memory or thread left.
    package static func start(named name: String) throws(Errno) -> Reactor {
        let reactor = Reactor(try Poller(.kernel), { ContinuousClock.now })
        try ReactorThread.start(named: name) { reactor.run() }
        return reactor
    }

    private init(_ poller: Poller, _ now: @escaping @Sendable () -> Instant) {
        (self.poller, self.now) = (poller, now)
    }

    // MARK: From any thread

    /// Runs a function in one of the next turns, in the order of the calls.
    package func execute(_ work: @escaping @Sendable () -> Void) { add(.work(work)) }

    /// Ends the thread after the jobs that have been added so far.
    ///
    /// Jobs that are added later may not be run.
    package func stop() { execute { [self] in isStopping = true } }

    /// True on the reactor's own thread.
    package var isOwnThread: Bool { owner.load(ordering: .relaxed) == pthread_self() }

    func add(_ job: Inbox.Job) {
        if inbox.add(job) { poller.wakeUp() }
    }

    // MARK: Turns

    /// Makes the calling thread the reactor's own.
    private func takeOver() { owner.store(pthread_self(), ordering: .relaxed) }

    private func run() {
        takeOver()
        while !isStopping { turn(mayWait: true) }
    }

    /// Performs one turn.
    ///
    /// - Parameter mayWait: True if the thread sleeps until something happens.
    package func turn(mayWait: Bool) {
        assertIsOwn()
        let sleeps = mayWait && !isEager && inbox.fallAsleep()
        isEager = false
        let isTimeDue = poller.poll(mayWait: sleeps)
        let jobs = inbox.wakeUpAndTake()
        if isTimeDue || !mayWait { fireTimers() }
        for job in jobs { run(job) }
        inbox.recycle(jobs)
        turnEnded()
    }

    /// Makes the next turn begin at once, after a look at all sockets.
    package func turnSoon() {
        assertIsOwn()
        isEager = true
    }

    private func run(_ job: Inbox.Job) {
        switch job {
        case .work(let work): work()
        case .job(let job): unsafe job.runSynchronously(on: asUnownedSerialExecutor())
        }
    }

    /// Checks that the caller is on the reactor's thread.
    private func assertIsOwn() { precondition(isOwnThread, "the reactor's parts are used on its own thread only") }

    // MARK: Sources

    /// Calls a source from now on when its descriptor is ready.
    ///
    /// - Throws: If the kernel has no memory left, or the descriptor can't be waited for.
    package func register(_ source: any EventSource, for interest: Interest) throws(Errno) {
        assertIsOwn()
        try poller.register(source, for: interest)
    }

    /// Changes the events that a registered source is called for.
    package func change(_ source: any EventSource, to interest: Interest) throws(Errno) {
        assertIsOwn()
        try poller.change(source, to: interest)
    }

    /// Calls a source no longer, not even for an event of this turn.
    ///
    /// It must still be open.
    package func deregister(_ source: any EventSource) {
        assertIsOwn()
        poller.deregister(source)
    }

    // MARK: Timers

    /// The time by the reactor's clock.
    package var time: Instant { now() }

    /// Sets or, by nil, cancels a timer.
    func schedule(_ timer: ReactorTimer, at deadline: Instant?) {
        assertIsOwn()
        guard timer.deadline != deadline else { return }
        if timer.deadline == nil {
            timers.append(timer)
        } else if deadline == nil {
            timers.removeAll { $0 === timer }
        }
        timer.deadline = deadline
        if let deadline { poller.wake(at: deadline, now: now()) }
    }

    private func fireTimers() {
        let now = now()
        for timer in timers where timer.deadline.map({ $0 <= now }) ?? false {
            // A timer that was called before may have cancelled this one.
            guard let deadline = timer.deadline, deadline <= now else { continue }
            timers.removeAll { $0 === timer }
            timer.deadline = nil
            timer.action()
        }
        poller.timerHasFired()
        if let next = timers.compactMap(\.deadline).min() { poller.wake(at: next, now: now) }
    }
}
