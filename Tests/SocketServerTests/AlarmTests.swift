import NIOCore
import NIOPosix
import SocketServer
import Testing

@Suite("The alarm")
struct AlarmTests {
    @Test(
        "It rings at its time, and one that is set anew when it is already due rings all the same.",
        .timeLimit(.minutes(1))
    )
    func rings() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let (rings, ringing) = AsyncStream<Void>.makeStream()
        let alarm = try await Alarm.start(on: loop) { ringing.yield() }
        var heard = rings.makeAsyncIterator()
        for _ in 0..<50 {
            try await loop.submit {
                alarm.value.set(ContinuousClock.now, now: ContinuousClock.now)
                // The loop is kept here until the alarm is due, as by a long batch, and has it set to another time then.
                let due = ContinuousClock.now + .microseconds(200)
                while ContinuousClock.now < due {}
                alarm.value.set(ContinuousClock.now + .seconds(3_600), now: ContinuousClock.now)
            }.get()
            await heard.next()
            try await loop.submit { alarm.value.hasRung() }.get()
        }
        try await loop.submit { alarm.value.close() }.get()
    }
}
