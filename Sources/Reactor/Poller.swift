import CLinux
import Glibc
import SystemPackage

/// Waits for events of descriptors, for a time, and for a call from another thread, and calls the sources that are
/// ready.
///
/// ``wakeUp()`` may be called from any thread, everything else on the reactor's thread only.
@safe final class Poller {
    private struct Registration {
        let source: any EventSource
        /// The number of the registration, by which the event of an earlier source with the same descriptor is known.
        let number: UInt32
    }

    /// The events that are taken from the kernel at once.
    private static let maxEvents = 256
    /// The numbers under which the poller's own descriptors are registered.
    ///
    /// No descriptor of a source has them.
    private static let (timerKey, wakeKey) = (UInt64.max, UInt64.max - 1)

    private let calls: SystemCalls
    private let epoll: CInt
    /// Read by nobody: it reports each expiry by itself, as it is edge-triggered.
    private let timer: CInt
    /// Read by nobody, for the same reason.
    private let wakeEvent: CInt
    private let events: UnsafeMutablePointer<epoll_event>
    /// The registrations by descriptor.
    private var registrations: ContiguousArray<Registration?> = []
    private var lastNumber: UInt32 = 0
    /// The time that the timer is set to.
    private var wakeTime: Reactor.Instant?

    /// Creates a poller without sources.
    ///
    /// - Throws: If the kernel has no descriptor left.
    init(_ calls: SystemCalls) throws(Errno) {
        self.calls = calls
        epoll = epoll_create1(CInt(EPOLL_CLOEXEC))
        timer = timerfd_create(CLOCK_BOOTTIME, CInt(TFD_NONBLOCK) | CInt(TFD_CLOEXEC))
        wakeEvent = eventfd(0, CInt(EFD_NONBLOCK) | CInt(EFD_CLOEXEC))
        unsafe events = .allocate(capacity: Self.maxEvents)
        // The destructor closes what was opened.
        guard epoll >= 0, timer >= 0, wakeEvent >= 0 else { throw Errno(rawValue: errno) }
        for (descriptor, key) in [(timer, Self.timerKey), (wakeEvent, Self.wakeKey)] {
            try control(EPOLL_CTL_ADD, descriptor, EPOLLIN.rawValue | EPOLLET.rawValue, key)
        }
    }

    deinit {
        for descriptor in [epoll, timer, wakeEvent] where descriptor >= 0 { close(descriptor) }
        unsafe events.deallocate()
    }

    // MARK: Waiting

    /// Waits for events and calls their sources.
    ///
    /// - Parameter mayWait: False if it takes only the events that are there already.
    /// - Returns: True if the timer has expired.
    func poll(mayWait: Bool) -> Bool {
        // A signal or a fault ends the wait without events. The next turn waits again.
        let count = unsafe calls.wait(epoll, events, Self.maxEvents, mayWait ? -1 : 0)
        var hasExpired = false
        for index in 0..<max(0, count) {
            let event = unsafe events[index]
            switch unsafe event.data.u64 {
            case Self.timerKey: hasExpired = true
            case Self.wakeKey: break
            default: unsafe dispatch(Events(rawValue: event.events), event.data.u64)
            }
        }
        return hasExpired
    }

    private func dispatch(_ events: Events, _ key: UInt64) {
        let (descriptor, number) = (Int(key & 0xFFFF_FFFF), UInt32(key >> 32))
        // A source that was called before in this turn may have closed this one, and its descriptor may be another's.
        guard descriptor < registrations.count, let registration = registrations[descriptor],
            registration.number == number
        else { return }
        registration.source.ready(events)
    }

    /// Ends a wait.
    func wakeUp() {
        var one: UInt64 = 1
        // The counter, which nobody reads, has space for more calls than a machine makes in its life.
        while unsafe write(wakeEvent, &one, MemoryLayout<UInt64>.size) < 0, errno == EINTR {}
    }

    // MARK: Sources

    func register(_ source: any EventSource, for interest: Interest) throws(Errno) {
        lastNumber &+= 1
        let descriptor = Int(source.descriptor)
        try control(EPOLL_CTL_ADD, source.descriptor, interest.bits, key(descriptor, lastNumber))
        while registrations.count <= descriptor { registrations.append(nil) }
        registrations[descriptor] = Registration(source: source, number: lastNumber)
    }

    func change(_ source: any EventSource, to interest: Interest) throws(Errno) {
        let descriptor = Int(source.descriptor)
        guard descriptor < registrations.count, let registration = registrations[descriptor] else { return }
        try control(EPOLL_CTL_MOD, source.descriptor, interest.bits, key(descriptor, registration.number))
    }

    func deregister(_ source: any EventSource) {
        let descriptor = Int(source.descriptor)
        guard descriptor < registrations.count, registrations[descriptor] != nil else { return }
        registrations[descriptor] = nil
        // It can't fail for a descriptor that is open and registered.
        try? control(EPOLL_CTL_DEL, source.descriptor, 0, 0)
    }

    private func key(_ descriptor: Int, _ number: UInt32) -> UInt64 { UInt64(number) << 32 | UInt64(descriptor) }

    private func control(_ operation: CInt, _ descriptor: CInt, _ bits: UInt32, _ key: UInt64) throws(Errno) {
        var event = unsafe epoll_event(events: bits, data: epoll_data_t(u64: key))
        guard unsafe epoll_ctl(epoll, operation, descriptor, &event) == 0 else { throw Errno(rawValue: errno) }
    }

    // MARK: The timer

    /// Makes a wait end at a time, unless it ends earlier anyway.
    ///
    /// A later time is not set: the timer then fires early once, which costs less than setting it at each change.
    func wake(at time: Reactor.Instant, now: Reactor.Instant) {
        if let wakeTime, wakeTime <= time { return }
        wakeTime = time
        let (seconds, attoseconds) = max(time - now, .nanoseconds(1)).components
        var setting = itimerspec()
        setting.it_value.tv_sec = Int(seconds)
        // Rounded up: a timer that fires a moment early would find nothing due.
        setting.it_value.tv_nsec = min(999_999_999, Int(attoseconds / 1_000_000_000) + 1)
        _ = unsafe timerfd_settime(timer, 0, &setting, nil)
    }

    /// Notes that the timer has expired, or that its time is no longer of use.
    func timerHasFired() { wakeTime = nil }
}
