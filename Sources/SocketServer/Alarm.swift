import CLinux
import Glibc
package import NIOCore
import NIOPosix
package import TokenCache

/// Wakes the cache's event loop at a time on the clock that goes on in suspend.
///
/// The loop's own timers stand still while the machine sleeps; this one is a timer of the kernel on CLOCK_BOOTTIME that
/// the loop reads like any other descriptor, so what fell due in a suspend is done right after it.
package final class Alarm {
    private let descriptor: CInt
    private let channel: any Channel
    private var armed: Instant?

    /// An alarm that is not set.
    ///
    /// - Parameters:
    ///   - loop: Where it rings.
    ///   - ring: Is called there when the time has come.
    package static func start(
        on loop: any EventLoop,
        ring: @escaping @Sendable () -> Void
    ) async throws -> NIOLoopBound<Alarm> {
        let descriptor = timerfd_create(CLOCK_BOOTTIME, CInt(TFD_NONBLOCK) | CInt(TFD_CLOEXEC))
        guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "timerfd_create") }
        // The channel owns the descriptor from here on, and closes it also where it can't be set up.
        return try await NIOPipeBootstrap(group: loop)
            .channelOption(.autoRead, value: true)
            .takingOwnershipOfDescriptor(input: descriptor) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Ringer(ring: ring))
                    return NIOLoopBound(Alarm(descriptor, channel), eventLoop: loop)
                }
            }
    }

    private init(_ descriptor: CInt, _ channel: any Channel) {
        self.descriptor = descriptor
        self.channel = channel
    }

    /// Sets the alarm to a time, or to none; a time that is past rings at once.
    package func set(_ time: Instant?, now: Instant) {
        guard time != armed else { return }
        // Already due: the loop may have seen it ring and read it only later in this round, and would then find nothing
        // to read, which it takes for a fault. It rings in a moment, and whoever hears it sets it again.
        if let armed, armed <= now { return }
        armed = time
        var setting = itimerspec()
        if let time {
            let (seconds, attoseconds) = max(time - now, .nanoseconds(1)).components
            setting.it_value.tv_sec = Int(seconds)
            // Rounded up: an alarm that rings a moment early would find nothing due and be set again and again.
            setting.it_value.tv_nsec = min(999_999_999, Int(attoseconds / 1_000_000_000) + 1)
        }
        _ = unsafe timerfd_settime(descriptor, 0, &setting, nil)
    }

    /// Forgets which time it was set to: it has rung.
    package func hasRung() { armed = nil }

    /// Ends the alarm.
    package func close() { channel.close(promise: nil) }
}

@available(*, unavailable)
extension Alarm: Sendable {}

/// Takes the timer's readings off the descriptor.
private final class Ringer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let ring: @Sendable () -> Void

    init(ring: @escaping @Sendable () -> Void) { self.ring = ring }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { ring() }
}
