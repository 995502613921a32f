import DaemonRuntime
import Glibc
import Testing
import UnixSignals

@Suite("Signals that arrive early", .serialized, .timeLimit(.minutes(3)))
struct EarlySignalTests {
    @Test("A signal during the start ends nothing, and reaches the services when they handle signals.")
    func sentAgain() async {
        EarlySignals.begin()
        #expect(kill(getpid(), SIGHUP) == 0)
        #expect(kill(getpid(), SIGHUP) == 0)
        let signals = await UnixSignalsSequence(trapping: .sighup)
        EarlySignals.sendAgain()
        var iterator = signals.makeAsyncIterator()
        #expect(await iterator.next() == .sighup)
        signal(SIGTERM, SIG_DFL)
        signal(SIGINT, SIG_DFL)
    }
}
