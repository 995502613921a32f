import Glibc
import Systemd
import Testing

@Suite("The journal")
struct JournalTests {
    @Test("Standard error is the journal if the variable has its device and inode.")
    func journal() {
        var status = stat()
        #expect(unsafe fstat(STDERR_FILENO, &status) == 0)
        let (device, inode) = (status.st_dev, status.st_ino)
        #expect(Journal.isStandardError("\(device):\(inode)"))
        for stream in ["\(device):\(inode + 1)", "\(device + 1):\(inode)", "\(inode)", "", "malformed"] {
            #expect(!Journal.isStandardError(stream))
        }
        #expect(!Journal.isStandardError(nil))
    }

    @Test("Without a journal an entry is not taken, so that its sender can count it as lost.")
    func away() {
        guard !Journal.isAvailable else { return }
        #expect(!Journal.send([("MESSAGE", "lost")]))
    }
}
