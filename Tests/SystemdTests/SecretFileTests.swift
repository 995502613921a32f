import Glibc
import Secrets
import Systemd
import TestSupport
import Testing

@Suite("Secrets in files")
struct SecretFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test("A credential's path lies in systemd's folder, whatever its name.")
    func credentials() {
        #expect(SecretFile.path(ofCredential: "main", in: "/run/c") == "/run/c/main")
        #expect(SecretFile.path(ofCredential: "main", in: nil) == nil)
        #expect(SecretFile.path(ofCredential: "main", in: "") == nil)
        for name in ["../main", "..", ".", "", "a/b", "/etc/shadow"] {
            #expect(SecretFile.path(ofCredential: name, in: "/run/c") == nil)
        }
    }

    @Test(
        "A secret's file is read without its line ends.",
        arguments: ["s3 cret", "s3 cret\n", "s3 cret\r\n", "s3 cret\n\n"]
    )
    func lineEnds(text: String) throws {
        #expect(try SecretFile.read(folder.write(text, to: "secret")) == ClientSecret("s3 cret"))
    }

    @Test("A secret may have up to 64 KiB, with its line end.")
    func largest() throws {
        let text = String(repeating: "x", count: 65_535)
        #expect(try SecretFile.read(folder.write(text + "\n", to: "secret")) == ClientSecret(text))
        #expect(try problem(text + "\n\n") == .tooLarge)
    }

    @Test(
        "A secret's file that is none is refused, and nothing of it is shown.",
        arguments: [
            ("", .empty), ("\r\n", .empty), ("hunter\nhunter", .notText), ("hunter\t", .notText), ("hünter", .notText),
            ("hunter\u{7F}", .notText),
        ] as [(String, SecretFileError.Problem)]
    )
    func refused(text: String, expected: SecretFileError.Problem) throws {
        #expect(try problem(text) == expected)
        #expect(!SecretFileError(path: "/f", problem: expected).description.contains("hunter"))
    }

    @Test("What can't be read is named.")
    func unreadable() throws {
        let path = folder.path("none")
        #expect(throws: SecretFileError(path: path, problem: .unreadable(ENOENT))) { try SecretFile.read(path) }
        let error = SecretFileError(path: path, problem: .unreadable(ENOENT))
        #expect(error.description == "\(path) can't be read: No such file or directory")
    }

    @Test("A pipe, a folder and a device are refused at once.")
    func notFiles() throws {
        let pipe = folder.path("pipe")
        #expect(unsafe mkfifo(pipe, 0o600) == 0)
        for path in [pipe, folder.path, "/dev/zero"] {
            #expect(throws: SecretFileError(path: path, problem: .notAFile)) { try SecretFile.read(path) }
        }
    }

    private func problem(_ text: String) throws -> SecretFileError.Problem? {
        let path = try folder.write(text, to: "secret")
        do throws(SecretFileError) {
            _ = try SecretFile.read(path)
            return nil
        } catch {
            return error.problem
        }
    }
}
