import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import MetricsServer

@Suite("An answer that is shared by all who ask")
struct SharedAnswerTests {
    @Test("Calls begin no more often than once in the interval, however many ask.")
    func interval() async throws {
        let interval = TimeAmount.milliseconds(20)
        let start = NIODeadline.now()
        let times = Mutex<[NIODeadline]>([])
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let answer = SharedAnswer(on: loop, within: .minutes(2), every: interval) {
            times.withLock { $0.append(.now()) }
            return true
        }
        for _ in 0..<5 {
            await withTaskGroup { group in
                for _ in 0..<10 { group.addTask { #expect(await answer.value() == true) } }
            }
        }
        let began = times.withLock { $0 }
        #expect(began.count >= 5)
        // A call may be late, so only the time since the start tells that none is too early.
        for (index, time) in began.enumerated() { #expect(time - start >= interval * index) }
    }
}
