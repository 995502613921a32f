import Glibc
import SystemPackage
import Systemd
import TestSupport
import Testing

@Suite("Secrets in files, as another user reads them")
struct SecretReaderTests {
    private let directory: TemporaryDirectory
    private let other = SecretFile.Reader(user: 65_534, groups: [65_534])

    init() throws { directory = try TemporaryDirectory() }

    @Test("The owner of a file is judged by the reader: this user's file is another user's to replace.")
    func owner() throws {
        let path = try directory.write("hunter", to: "secret")
        _ = try SecretFile.read(path, trusting: .file(of: .current))
        guard geteuid() != 0 else { return }
        #expect(throws: SecretFileError.self) { try SecretFile.read(path, trusting: .file(of: other)) }
    }

    @Test("A group that the reader is in may have rights, and another group may not.")
    func group() throws {
        let path = try directory.write("hunter", to: "secret", mode: 0o640)
        let (user, group) = (geteuid(), getegid())
        let member = SecretFile.Reader(user: user, groups: [group])
        _ = try SecretFile.read(path, trusting: .file(of: member))
        guard group != 0 else { return }
        let stranger = SecretFile.Reader(user: user, groups: [])
        #expect(throws: SecretFileError.self) { try SecretFile.read(path, trusting: .file(of: stranger)) }
    }

    @Test("The first directory or file that a reader can't pass is found. Root passes all.")
    func obstacle() throws {
        let path = try directory.write("hunter", to: "secret", mode: 0o640)
        let root = SecretFile.Reader(user: 0, groups: [0])
        #expect(SecretFile.obstacle(to: path, for: root) == nil)
        #expect(SecretFile.obstacle(to: path, for: other) == directory.path)
        try #require(unsafe chmod(directory.path, 0o711) == 0)
        #expect(SecretFile.obstacle(to: path, for: other) == path)
        let member = SecretFile.Reader(user: 65_534, groups: [getegid()])
        #expect(SecretFile.obstacle(to: path, for: member) == nil)
        try #require(unsafe chmod(path, 0o604) == 0)
        #expect(SecretFile.obstacle(to: path, for: other) == nil)
        #expect(SecretFile.obstacle(to: path, for: member) == path)
        #expect(SecretFile.obstacle(to: directory.path("none"), for: other) == nil)
    }
}
