import Glibc
import Systemd
import TestSupport
import Testing

@Suite("The store of descriptors")
struct DescriptorStoreTests {
    @Test("A descriptor is stored under its name, without a poll by the manager, and removed by its name.")
    func store() async {
        await #expect(processExitsWith: .success) {
            let directory = try TemporaryDirectory()
            let manager = try ManagerSocket(directory.path("manager"))
            unsafe setenv("NOTIFY_SOCKET", directory.path("manager"), 1)
            #expect(DescriptorStore.put(STDERR_FILENO, named: "tokens-a"))
            DescriptorStore.remove("tokens-b")
            #expect(manager.notification() == "FDSTORE=1\nFDNAME=tokens-a\nFDPOLL=0")
            #expect(manager.notification() == "FDSTOREREMOVE=1\nFDNAME=tokens-b")
            unsafe setenv("NOTIFY_SOCKET", "/nonexistent/manager", 1)
            #expect(!DescriptorStore.put(STDERR_FILENO, named: "tokens-a"))
        }
    }

    @Test("A store must be able to hold a file and its replacement.")
    func storeSize() {
        #expect(
            DescriptorStore.isAvailable(socket: "/run/systemd/notify", size: nil),
            "before systemd 254 the size is unknown"
        )
        #expect(DescriptorStore.isAvailable(socket: "/run/systemd/notify", size: "4"))
        #expect(DescriptorStore.isAvailable(socket: "@abstract", size: "2"))
        for size in ["0", "1"] { #expect(!DescriptorStore.isAvailable(socket: "/run/systemd/notify", size: size)) }
        #expect(!DescriptorStore.isAvailable(socket: nil, size: "4"))
        #expect(!DescriptorStore.isAvailable(socket: "", size: nil))
    }
}
