import DaemonRuntime
import Foundation
import Glibc
import Testing
import UnixSignals

@Suite("Signals that arrive early", .serialized, .timeLimit(.minutes(3)))
struct EarlySignalTests {
    /// Raises a signal on a thread that handles it before this returns.
    ///
    /// The threads of tasks have signals blocked.
    private func handle(_ number: CInt) async {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var signals = sigset_t()
                unsafe sigemptyset(&signals)
                unsafe sigaddset(&signals, number)
                unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
                raise(number)
                continuation.resume()
            }
        }
    }

    @Test("A signal during the start ends nothing, and reaches the services when they handle signals.")
    func sentAgain() async {
        EarlySignals.begin()
        await handle(SIGHUP)
        await handle(SIGHUP)
        let signals = await UnixSignalsSequence(trapping: .sighup)
        EarlySignals.sendAgain()
        var iterator = signals.makeAsyncIterator()
        #expect(await iterator.next() == .sighup)
        signal(SIGTERM, SIG_DFL)
        signal(SIGINT, SIG_DFL)
    }
}
