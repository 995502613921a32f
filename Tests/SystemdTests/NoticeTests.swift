import Glibc
import Systemd
import TestSupport
import Testing

@Suite("Notices to the service manager")
struct NoticeTests {
    @Test("A notice is one line an item, whatever is in the status.")
    func text() {
        #expect(Notice.ready(status: "serving").text == "READY=1\nSTATUS=serving")
        #expect(Notice.ready(status: "a\nREADY=0").text == "READY=1\nSTATUS=a?READY=0")
        #expect(Notice.status("a\r\nb\0c\u{85}d").text == "STATUS=a??b?c?d")
        #expect(Notice.status("ünï").text == "STATUS=ünï")
        #expect(Notice.alive.text == "WATCHDOG=1")
        #expect(Notice.stopping.text == "STOPPING=1")
    }

    @Test("A reload's beginning has its time on the clock that the manager uses.")
    func reloading() throws {
        func monotonic() -> Int64 {
            var now = timespec()
            _ = unsafe clock_gettime(CLOCK_MONOTONIC, &now)
            return Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1_000
        }
        let before = monotonic()
        let lines = Notice.reloading.text.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.first == "RELOADING=1")
        let time = try #require(lines.last.flatMap { Int64($0.dropFirst("MONOTONIC_USEC=".count)) })
        #expect(before <= time && time <= monotonic())
    }

    // What libsystemd reads from the environment is the whole process's: each of these has a process of its own.

    @Test("Notices reach the manager's socket as they are, in order.")
    func sent() async {
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryDirectory()
            let manager = try ManagerSocket(folder.path("manager"))
            unsafe setenv("NOTIFY_SOCKET", folder.path("manager"), 1)
            let notices = [Notice.ready(status: "serving"), .status("3 tokens"), .alive, .stopping]
            for notice in notices { notice.send() }
            for notice in notices { #expect(manager.notice() == notice.text) }
            #expect(manager.notice() == nil)
        }
    }

    @Test("Where no manager listens, a notice does nothing.")
    func alone() async {
        await #expect(processExitsWith: .success) {
            unsafe unsetenv("NOTIFY_SOCKET")
            Notice.ready(status: "serving").send()
            unsafe setenv("NOTIFY_SOCKET", "/nonexistent/manager", 1)
            Notice.alive.send()
        }
    }

    @Test("A descriptor is stored under its name, without the manager's waiting for its end, and removed by it.")
    func store() async {
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryDirectory()
            let manager = try ManagerSocket(folder.path("manager"))
            unsafe setenv("NOTIFY_SOCKET", folder.path("manager"), 1)
            #expect(DescriptorStore.put(STDERR_FILENO, named: "tokens-a"))
            DescriptorStore.remove("tokens-b")
            #expect(manager.notice() == "FDSTORE=1\nFDNAME=tokens-a\nFDPOLL=0")
            #expect(manager.notice() == "FDSTOREREMOVE=1\nFDNAME=tokens-b")
            unsafe setenv("NOTIFY_SOCKET", "/nonexistent/manager", 1)
            #expect(!DescriptorStore.put(STDERR_FILENO, named: "tokens-a"))
        }
    }

    @Test("A store must be able to hold a file and the one that takes its place.")
    func storeSize() {
        #expect(DescriptorStore.isThere(socket: "/run/systemd/notify", size: nil), "before systemd 254 nobody says")
        #expect(DescriptorStore.isThere(socket: "/run/systemd/notify", size: "4"))
        #expect(DescriptorStore.isThere(socket: "@abstract", size: "2"))
        for size in ["0", "1"] { #expect(!DescriptorStore.isThere(socket: "/run/systemd/notify", size: size)) }
        #expect(!DescriptorStore.isThere(socket: nil, size: "4"))
        #expect(!DescriptorStore.isThere(socket: "", size: nil))
    }

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
