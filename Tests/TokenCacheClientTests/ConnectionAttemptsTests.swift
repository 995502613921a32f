import Glibc
import NIOCore
import Testing

@testable import TokenCacheClient

@Suite("Connection attempts of the Swift client")
struct ConnectionAttemptsTests {
    private func failed(_ attempts: inout ConnectionAttempts, _ code: CInt, after seconds: Double) -> TimeAmount? {
        let now = NIODeadline.uptimeNanoseconds(0) + .nanoseconds(Int64(seconds * 1e9))
        return attempts.failed(IOError(errnoCode: code, reason: "connect"), at: now)
    }

    @Test(
        "Calls wait for an absent daemon until the grace period ends, and no longer.",
        arguments: [ENOENT, ECONNREFUSED]
    )
    func grace(code: CInt) throws {
        var attempts = ConnectionAttempts(path: "/none", restartGrace: .seconds(2))
        for seconds in [100, 101, 101.5] {
            #expect(try #require(failed(&attempts, code, after: seconds)) > .zero)
        }
        let last = try #require(failed(&attempts, code, after: 101.999))
        #expect(last <= .milliseconds(1))
        #expect(failed(&attempts, code, after: 102) == nil)
        // The grace period has been used up.
        #expect(failed(&attempts, code, after: 200) == nil)
        attempts.connected()
        #expect(failed(&attempts, code, after: 200) != nil)
        #expect(failed(&attempts, code, after: 202) == nil)
    }

    @Test("Without a grace period, the first failed attempt is reported.")
    func noGrace() {
        var attempts = ConnectionAttempts(path: "/none", restartGrace: .zero)
        #expect(failed(&attempts, ENOENT, after: 1) == nil)
        #expect(attempts.unreachable().message.contains("there is no socket"))
    }

    @Test("A full socket queue does not count against the grace period.")
    func fullQueue() {
        var attempts = ConnectionAttempts(path: "/none", restartGrace: .zero)
        for seconds in [1.0, 10, 1_000] { #expect(failed(&attempts, EAGAIN, after: seconds) != nil) }
    }

    @Test("An error that waiting does not fix is reported at once.", arguments: [EACCES, ENOTDIR, ENOTSOCK])
    func permanentError(code: CInt) {
        var attempts = ConnectionAttempts(path: "/none", restartGrace: .seconds(300))
        #expect(failed(&attempts, code, after: 1) == nil)
    }

    @Test("The backoff doubles up to half a second, until the daemon has answered.")
    func backoff() throws {
        var attempts = ConnectionAttempts(path: "/none", restartGrace: .seconds(300))
        for _ in 1...3 {
            for longest in [10, 20, 40, 80, 160, 320, 500, 500] as [Int64] {
                let backoff = try #require(failed(&attempts, ENOENT, after: 1))
                #expect((.milliseconds(longest / 2) ... .milliseconds(longest)).contains(backoff))
            }
            // A connection alone is no answer.
            attempts.connected()
            #expect(try #require(failed(&attempts, ENOENT, after: 1)) >= .milliseconds(250))
            attempts.answered()
        }
    }
}
