import NIOCore
import NIOPosix
import SocketServer
import Testing

@Suite("The timer of the boot-time clock")
struct BootTimeTimerTests {
    @Test(
        "It fires at its time, even if it is scheduled for another one when it is already due.",
        .timeLimit(.minutes(1))
    )
    func fires() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let (firings, firing) = AsyncStream<Void>.makeStream()
        let timer = try await BootTimeTimer.start(on: loop) { firing.yield() }
        var iterator = firings.makeAsyncIterator()
        for _ in 0..<50 {
            try await loop.submit {
                timer.value.schedule(at: ContinuousClock.now, now: ContinuousClock.now)
                // The loop is busy until the timer is due, as with a long batch, and then schedules it for another
                // time.
                let due = ContinuousClock.now + .microseconds(200)
                while ContinuousClock.now < due {}
                timer.value.schedule(at: ContinuousClock.now + .seconds(3_600), now: ContinuousClock.now)
            }.get()
            await iterator.next()
            try await loop.submit { timer.value.hasFired() }.get()
        }
        try await loop.submit { timer.value.close() }.get()
    }
}
