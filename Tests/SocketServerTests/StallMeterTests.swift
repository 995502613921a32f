import SocketServer
import Testing

@Suite("A peer that takes nothing")
struct StallMeterTests {
    @Test("It is let go after 30 s without one byte taken.")
    func stalled() {
        var meter = StallMeter()
        meter.sending(1_000)
        #expect(
            (0..<6).map { _ in meter.look(waiting: 400) } == [
                .waiting, .waiting, .waiting, .waiting, .waiting, .waiting,
            ]
        )
        #expect(meter.look(waiting: 400) == .stalled)
    }

    @Test("One byte taken begins the time anew, also while more is sent.")
    func slow() {
        var meter = StallMeter()
        meter.sending(1_000)
        for taken in 1...20 {
            for _ in 0..<5 { #expect(meter.look(waiting: 1_000 - taken) == .waiting) }
        }
        meter.sending(500)
        #expect(meter.look(waiting: 1_480) == .waiting)
        #expect(meter.look(waiting: 1_480) == .stalled, "what was sent meanwhile is not what was taken")
    }

    @Test("Where nothing waits there is nothing to wait for.")
    func idle() {
        var meter = StallMeter()
        meter.sending(10)
        #expect(meter.look(waiting: 0) == .idle)
        meter.sending(10)
        #expect(meter.look(waiting: 10) == .waiting)
    }
}
