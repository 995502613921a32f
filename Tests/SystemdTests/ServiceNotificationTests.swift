import Glibc
import Systemd
import TestSupport
import Testing

@Suite("Notifications to the service manager")
struct ServiceNotificationTests {
    @Test("A notification has one line for each assignment, whatever the status contains.")
    func text() {
        #expect(ServiceNotification.ready(status: "serving").text == "READY=1\nSTATUS=serving")
        #expect(ServiceNotification.ready(status: "a\nREADY=0").text == "READY=1\nSTATUS=a?READY=0")
        #expect(ServiceNotification.status("a\r\nb\0c\u{85}d").text == "STATUS=a??b?c?d")
        #expect(ServiceNotification.status("ünï").text == "STATUS=ünï")
        #expect(ServiceNotification.alive.text == "WATCHDOG=1")
        #expect(ServiceNotification.stopping.text == "STOPPING=1")
    }

    @Test("The notification of a reload has its time on the clock that the manager uses.")
    func reloading() throws {
        func monotonic() -> Int64 {
            var now = timespec()
            _ = unsafe clock_gettime(CLOCK_MONOTONIC, &now)
            return Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1_000
        }
        let before = monotonic()
        let lines = ServiceNotification.reloading.text.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.first == "RELOADING=1")
        let time = try #require(lines.last.flatMap { Int64($0.dropFirst("MONOTONIC_USEC=".count)) })
        #expect(before <= time && time <= monotonic())
    }

    // libsystemd reads the environment of the whole process, so each of these tests has a process of its own.

    @Test("Notifications reach the manager's socket unchanged and in order.")
    func sent() async {
        await #expect(processExitsWith: .success) {
            let directory = try TemporaryDirectory()
            let manager = try ManagerSocket(directory.path("manager"))
            unsafe setenv("NOTIFY_SOCKET", directory.path("manager"), 1)
            let notifications = [ServiceNotification.ready(status: "serving"), .status("3 tokens"), .alive, .stopping]
            for notification in notifications { notification.send() }
            for notification in notifications { #expect(manager.notification() == notification.text) }
            #expect(manager.notification() == nil)
        }
    }

    @Test("Without a manager, a notification does nothing.")
    func alone() async {
        await #expect(processExitsWith: .success) {
            unsafe unsetenv("NOTIFY_SOCKET")
            ServiceNotification.ready(status: "serving").send()
            unsafe setenv("NOTIFY_SOCKET", "/nonexistent/manager", 1)
            ServiceNotification.alive.send()
        }
    }
}
