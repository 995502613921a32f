import Glibc
import Secrets
import SystemPackage
import Systemd
import TestSupport
import Testing

@Suite("Secrets in files")
struct SecretFileTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    @Test("A credential's path is in systemd's directory, whatever its name.")
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
        #expect(try SecretFile.read(directory.write(text, to: "secret")) == ClientSecret("s3 cret"))
    }

    @Test("A secret may have up to 64 KiB, with its line end.")
    func largest() throws {
        let text = String(repeating: "x", count: 65_535)
        #expect(try SecretFile.read(directory.write(text + "\n", to: "secret")) == ClientSecret(text))
        #expect(try problem(text + "\n\n") == .tooLarge)
    }

    @Test(
        "A file that holds no secret is rejected, and its content is not shown.",
        arguments: [
            ("", .empty), ("\r\n", .empty), ("hunter\nhunter", .notText), ("hunter\t", .notText), ("hünter", .notText),
            ("hunter\u{7F}", .notText),
        ] as [(String, SecretFileError.Problem)]
    )
    func rejected(text: String, expected: SecretFileError.Problem) throws {
        #expect(try problem(text) == expected)
        #expect(!SecretFileError(path: "/f", problem: expected).description.contains("hunter"))
    }

    @Test(
        "A file that others can read or change is rejected, with its mode and owner, unless it is a credential.",
        arguments: [(0o604, true), (0o602, true), (0o601, true), (0o600, false), (0o400, false), (0o640, false)]
    )
    func modes(mode: Int, isRejected: Bool) throws {
        let path = try directory.write("hunter", to: "secret", mode: mode)
        let problem = SecretFileError.Problem.readableByOthers(mode: UInt32(mode), owner: geteuid(), group: getegid())
        if isRejected {
            #expect(throws: SecretFileError(path: path, problem: problem)) { try SecretFile.read(path) }
            let text = SecretFileError(path: path, problem: problem).description
            #expect(text.contains("mode is \(String(mode, radix: 8)), its owner \(geteuid())"))
        } else {
            #expect(try SecretFile.read(path) == ClientSecret("hunter"))
        }
        #expect(try SecretFile.read(path, trusting: .credential) == ClientSecret("hunter"))
    }

    @Test("A file of another user or a foreign group is rejected.", .enabled(if: geteuid() == 0, "needs root"))
    func owners() throws {
        let path = try directory.write("hunter", to: "secret", mode: 0o640)
        #expect(unsafe chown(path, 40_001, 0) == 0)
        #expect(throws: SecretFileError.self) { try SecretFile.read(path) }
        #expect(unsafe chown(path, 0, 40_001) == 0)
        #expect(throws: SecretFileError.self) { try SecretFile.read(path) }
        #expect(unsafe chmod(path, 0o600) == 0)
        #expect(try SecretFile.read(path) == ClientSecret("hunter"))
    }

    @Test("A file that an access control list opens to others is rejected, unless the list's mask keeps them out.")
    func lists() throws {
        let path = try directory.write("hunter", to: "secret", mode: 0o600)
        func setList(_ entries: String) throws {
            let (status, output) = try Program.run("/usr/bin/env", ["setfacl", "-n", "-m", entries, path])
            try #require(status == 0, "\(output)")
        }
        try setList("u:40001:r,m::r")
        #expect(throws: SecretFileError(path: path, problem: .listedForUser(40_001))) { try SecretFile.read(path) }
        try setList("u:40001:-,g:40002:r")
        #expect(throws: SecretFileError(path: path, problem: .listedForGroup(40_002))) { try SecretFile.read(path) }
        try setList("m::-")
        #expect(try SecretFile.read(path) == ClientSecret("hunter"), "the mask gives no rights")
        try setList("g:40002:-,u:\(geteuid()):r,m::r")
        #expect(try SecretFile.read(path) == ClientSecret("hunter"))
    }

    @Test("A file below a directory that others can write to is rejected, unless the directory is sticky.")
    func directories() throws {
        let inner = directory.path("a/b")
        #expect(unsafe mkdir(directory.path("a"), 0o755) == 0 && mkdir(inner, 0o755) == 0)
        let path = try directory.write("hunter", to: "a/b/secret", mode: 0o600)
        #expect(try SecretFile.read(path) == ClientSecret("hunter"))
        for (mode, isRejected) in [(0o777, true), (0o1777, false), (0o775, false)] as [(mode_t, Bool)] {
            #expect(unsafe chmod(directory.path("a"), mode) == 0)
            if isRejected {
                let problem = SecretFileError.Problem.replaceableByOthers(directory.path("a"))
                #expect(throws: SecretFileError(path: path, problem: problem)) { try SecretFile.read(path) }
            } else {
                #expect(try SecretFile.read(path) == ClientSecret("hunter"))
            }
        }
        // A link is followed to the file's own directory.
        #expect(unsafe chmod(directory.path("a"), 0o777) == 0 && symlink(path, directory.path("link")) == 0)
        #expect(throws: SecretFileError.self) { try SecretFile.read(directory.path("link")) }
    }

    @Test("A file that can't be read is reported with the system's reason.")
    func unreadable() throws {
        let path = directory.path("none")
        #expect(throws: SecretFileError(path: path, problem: .unreadable(.noSuchFileOrDirectory))) {
            try SecretFile.read(path)
        }
        let error = SecretFileError(path: path, problem: .unreadable(.noSuchFileOrDirectory))
        #expect(error.description == "\(path) can't be read: No such file or directory")
    }

    @Test("A pipe, a directory and a device are rejected at once.")
    func notFiles() throws {
        let pipe = directory.path("pipe")
        #expect(unsafe mkfifo(pipe, 0o600) == 0)
        for path in [pipe, directory.path, "/dev/zero"] {
            #expect(throws: SecretFileError(path: path, problem: .notAFile)) { try SecretFile.read(path) }
        }
    }

    private func problem(_ text: String) throws -> SecretFileError.Problem? {
        let path = try directory.write(text, to: "secret")
        do throws(SecretFileError) {
            _ = try SecretFile.read(path)
            return nil
        } catch {
            return error.problem
        }
    }
}
