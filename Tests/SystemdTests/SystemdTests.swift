import Foundation
import Glibc
import Secrets
import Systemd
import TestSupport
import Testing

@Suite("Systemd")
struct SystemdTests {
    @Test("Sockets are told apart by their names, in any order.")
    func names() throws {
        var sockets = HandedOverSockets()
        try sockets.add(3, named: "admin")
        try sockets.add(4, named: "requests")
        #expect(sockets.requests == 4)
        #expect(sockets.admin == 3)
        #expect(throws: HandedOverSocketsError.twice("admin")) { try sockets.add(5, named: "admin") }
        #expect(throws: HandedOverSocketsError.unknownName("unknown")) { try sockets.add(5, named: "unknown") }
    }

    @Test("A notice is one line an item, whatever is in the status.")
    func notices() {
        #expect(Notice.ready(status: "a\nREADY=0").text == "READY=1\nSTATUS=a READY=0")
        #expect(Notice.alive.text == "WATCHDOG=1")
        #expect(Notice.stopping.text == "STOPPING=1")
        let reloading = Notice.reloading.text.split(separator: "\n")
        #expect(reloading.first == "RELOADING=1")
        #expect(reloading.last.flatMap { Int64($0.dropFirst("MONOTONIC_USEC=".count)) }.map { $0 > 0 } == true)
    }

    @Test("A credential's path lies in systemd's folder, whatever its name.")
    func credentials() {
        #expect(SecretFile.path(ofCredential: "main", in: "/run/c") == "/run/c/main")
        #expect(SecretFile.path(ofCredential: "main", in: nil) == nil)
        for name in ["../main", "..", "", "a/b"] { #expect(SecretFile.path(ofCredential: name, in: "/run/c") == nil) }
    }

    @Test("A secret's file is read without its line end.", arguments: ["s3cret", "s3cret\n", "s3cret\r\n"])
    func secretFile(text: String) throws {
        let folder = try TemporaryFolder()
        #expect(try SecretFile.read(folder.write(text, to: "secret")) == ClientSecret("s3cret"))
    }

    @Test("A secret's file that is none is refused, and nothing of it is shown.")
    func wrongSecretFile() throws {
        let folder = try TemporaryFolder()
        func problem(_ text: String) throws -> SecretFileError.Problem? {
            let path = try folder.write(text, to: "secret")
            do throws(SecretFileError) {
                _ = try SecretFile.read(path)
                return nil
            } catch {
                #expect(!error.description.contains("hunter"))
                return error.problem
            }
        }
        #expect(try problem("") == .empty)
        #expect(try problem("\n") == .empty)
        #expect(try problem("hunter\nhunter") == .notText)
        #expect(try problem(String(repeating: "hunter", count: 20_000)) == .tooLarge)
        #expect(throws: SecretFileError(path: folder.path("none"), problem: .unreadable(ENOENT))) {
            try SecretFile.read(folder.path("none"))
        }
    }

    @Test("Standard error is the journal where the variable names its device and inode.")
    func journal() {
        var status = stat()
        _ = unsafe fstat(STDERR_FILENO, &status)
        #expect(Journal.isStandardError("\(status.st_dev):\(status.st_ino)"))
        #expect(!Journal.isStandardError("\(status.st_dev):\(status.st_ino + 1)"))
        #expect(!Journal.isStandardError(nil))
    }
}
