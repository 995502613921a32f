import CLinux
import Glibc
package import NIOCore
import NIOPosix
package import TokenCache

/// Calls a function on an event loop at a time of the clock that goes on while the machine is suspended.
///
/// The loop's own timers stand still in suspend. This one is a timer of the kernel on CLOCK_BOOTTIME, which the loop
/// reads like any other descriptor, so what fell due in a suspend is done right after it.
package final class BootTimeTimer {
    private let descriptor: CInt
    private let channel: any Channel
    private var scheduled: Instant?

    /// Creates a timer that is not scheduled.
    ///
    /// - Parameters:
    ///   - loop: The event loop that reads the timer.
    ///   - onFire: The function that is called on the loop when the time has come.
    package static func start(
        on loop: any EventLoop,
        onFire: @escaping @Sendable () -> Void
    ) async throws -> NIOLoopBound<BootTimeTimer> {
        let descriptor = timerfd_create(CLOCK_BOOTTIME, CInt(TFD_NONBLOCK) | CInt(TFD_CLOEXEC))
        guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "timerfd_create") }
        // The channel owns the descriptor from here on, and closes it even if it can't be set up.
        return try await NIOPipeBootstrap(group: loop)
            .channelOption(.autoRead, value: true)
            .takingOwnershipOfDescriptor(input: descriptor) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(TimerHandler(onFire: onFire))
                    return NIOLoopBound(BootTimeTimer(descriptor, channel), eventLoop: loop)
                }
            }
    }

    private init(_ descriptor: CInt, _ channel: any Channel) {
        self.descriptor = descriptor
        self.channel = channel
    }

    /// Schedules the timer for a time, in place of its present one, or for none if it is nil.
    ///
    /// A time in the past fires at once.
    package func schedule(at time: Instant?, now: Instant) {
        guard time != scheduled else { return }
        // The present time is due: the loop may already know that the timer has fired, and read it later in this round.
        // With another time it would find nothing to read, which it takes for a fault. The timer fires in a moment, and
        // its function schedules it again.
        if let scheduled, scheduled <= now { return }
        scheduled = time
        var setting = itimerspec()
        if let time {
            let (seconds, attoseconds) = max(time - now, .nanoseconds(1)).components
            setting.it_value.tv_sec = Int(seconds)
            // Rounded up: a timer that fires a moment early would find nothing due, and be scheduled again and again.
            setting.it_value.tv_nsec = min(999_999_999, Int(attoseconds / 1_000_000_000) + 1)
        }
        _ = unsafe timerfd_settime(descriptor, 0, &setting, nil)
    }

    /// Notes that the timer has fired, so that it is no longer scheduled.
    package func hasFired() { scheduled = nil }

    /// Stops the timer and closes its descriptor.
    package func close() { channel.close(promise: nil) }
}

@available(*, unavailable)
extension BootTimeTimer: Sendable {}

/// Reads the timer's expirations from its descriptor.
private final class TimerHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let onFire: @Sendable () -> Void

    init(onFire: @escaping @Sendable () -> Void) { self.onFire = onFire }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { onFire() }
}
