import Glibc
import NIOCore
import Testing

@testable import TokenCacheClient

@Suite("How long the Swift client waits for a daemon")
struct AttemptsTests {
    private func failed(_ attempts: inout Attempts, _ code: CInt, after seconds: Double) -> TimeAmount? {
        let now = NIODeadline.uptimeNanoseconds(0) + .nanoseconds(Int64(seconds * 1e9))
        return attempts.failed(IOError(errnoCode: code, reason: "connect"), at: now)
    }

    @Test(
        "A daemon that isn't there is waited for until the grace ends, and not a moment longer.",
        arguments: [ENOENT, ECONNREFUSED]
    )
    func grace(code: CInt) throws {
        var attempts = Attempts(path: "/none", restartGrace: .seconds(2))
        for seconds in [100, 101, 101.5] {
            #expect(try #require(failed(&attempts, code, after: seconds)) > .zero)
        }
        let last = try #require(failed(&attempts, code, after: 101.999))
        #expect(last <= .milliseconds(1))
        #expect(failed(&attempts, code, after: 102) == nil)
        // It is used up.
        #expect(failed(&attempts, code, after: 200) == nil)
        attempts.connected()
        #expect(failed(&attempts, code, after: 200) != nil)
        #expect(failed(&attempts, code, after: 202) == nil)
    }

    @Test("Without a grace, an attempt tells at once.")
    func noGrace() {
        var attempts = Attempts(path: "/none", restartGrace: .zero)
        #expect(failed(&attempts, ENOENT, after: 1) == nil)
        #expect(attempts.unreachable().description.contains("there is no socket"))
    }

    @Test("A queue that is full has nothing to do with the grace.")
    func fullQueue() {
        var attempts = Attempts(path: "/none", restartGrace: .zero)
        for seconds in [1.0, 10, 1_000] { #expect(failed(&attempts, EAGAIN, after: seconds) != nil) }
    }

    @Test("What waiting doesn't mend is told at once.", arguments: [EACCES, ENOTDIR, ENOTSOCK])
    func hopeless(code: CInt) {
        var attempts = Attempts(path: "/none", restartGrace: .seconds(300))
        #expect(failed(&attempts, code, after: 1) == nil)
    }

    @Test("The pauses double up to half a second, until the daemon has answered.")
    func pauses() throws {
        var attempts = Attempts(path: "/none", restartGrace: .seconds(300))
        for _ in 1...3 {
            for longest in [10, 20, 40, 80, 160, 320, 500, 500] as [Int64] {
                let pause = try #require(failed(&attempts, ENOENT, after: 1))
                #expect((.milliseconds(longest / 2) ... .milliseconds(longest)).contains(pause))
            }
            // A connection alone isn't an answer.
            attempts.connected()
            #expect(try #require(failed(&attempts, ENOENT, after: 1)) >= .milliseconds(250))
            attempts.answered()
        }
    }
}
