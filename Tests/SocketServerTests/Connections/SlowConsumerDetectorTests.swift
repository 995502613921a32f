import SocketServer
import Testing

@Suite("The detector of slow consumers")
struct SlowConsumerDetectorTests {
    @Test("A peer is stalled after 30 s in which it has read nothing.")
    func stalled() {
        var detector = SlowConsumerDetector()
        detector.sending(1_000)
        #expect(
            (0..<6).map { _ in detector.check(unsent: 400) } == [
                .waiting, .waiting, .waiting, .waiting, .waiting, .waiting,
            ]
        )
        #expect(detector.check(unsent: 400) == .stalled)
    }

    @Test("One byte that is read starts the time again, even while more is sent.")
    func slow() {
        var detector = SlowConsumerDetector()
        detector.sending(1_000)
        for read in 1...20 {
            for _ in 0..<5 { #expect(detector.check(unsent: 1_000 - read) == .waiting) }
        }
        detector.sending(500)
        #expect(detector.check(unsent: 1_480) == .waiting)
        #expect(detector.check(unsent: 1_480) == .stalled, "bytes sent meanwhile don't count as read")
    }

    @Test("A peer without unsent replies is idle.")
    func idle() {
        var detector = SlowConsumerDetector()
        detector.sending(10)
        #expect(detector.check(unsent: 0) == .idle)
        detector.sending(10)
        #expect(detector.check(unsent: 10) == .waiting)
    }
}
