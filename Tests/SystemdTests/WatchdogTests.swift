import Glibc
import Systemd
import Testing

@Suite("The watchdog")
struct WatchdogTests {
    @Test("The watchdog's interval is the one that the manager has set for this process.")
    func watchdog() async {
        await #expect(processExitsWith: .success) {
            unsafe unsetenv("WATCHDOG_USEC")
            unsafe unsetenv("WATCHDOG_PID")
            #expect(Watchdog.interval == nil)
            unsafe setenv("WATCHDOG_USEC", "3000000", 1)
            #expect(Watchdog.interval == .seconds(3))
            unsafe setenv("WATCHDOG_PID", "\(getpid())", 1)
            #expect(Watchdog.interval == .seconds(3))
            unsafe setenv("WATCHDOG_PID", "1", 1)
            #expect(Watchdog.interval == nil)
        }
    }
}
