import Glibc
import Systemd
import TestSupport
import Testing

@Suite("Files that others can change")
struct ChangeableFileTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func weakness(of path: String) -> String? { SecretFile.weakness(of: path, for: .current) }

    @Test(
        "A file or directory is weak if others can write to it, whoever can read it.",
        arguments: [(0o644, false), (0o600, false), (0o444, false), (0o646, true), (0o602, true), (0o664, false)]
    )
    func modes(mode: mode_t, isWeak: Bool) throws {
        let path = try directory.write("tenants: {}", to: "c.yaml")
        #expect(unsafe chmod(path, mode) == 0)
        #expect(weakness(of: path) == (isWeak ? path : nil))
        let inner = directory.path("tenants.d")
        #expect(unsafe mkdir(inner, 0o755) == 0 && chmod(inner, mode | 0o111) == 0)
        #expect(weakness(of: inner) == (isWeak ? inner : nil))
    }

    @Test("A sticky directory is weak itself, as anybody can add files, but not the files of others in it.")
    func sticky() throws {
        let inner = directory.path("tenants.d")
        #expect(unsafe mkdir(inner, 0o755) == 0)
        let path = try directory.write("host: x", to: "tenants.d/a.yaml")
        #expect(weakness(of: path) == nil)
        #expect(unsafe chmod(inner, 0o1777) == 0)
        #expect(weakness(of: path) == nil && weakness(of: inner) == inner)
        #expect(unsafe chmod(inner, 0o777) == 0)
        #expect(weakness(of: path) == inner)
    }

    @Test("A link is weak if it or the file can be replaced.")
    func links() throws {
        for name in ["open", "closed"] { #expect(unsafe mkdir(directory.path(name), 0o755) == 0) }
        #expect(unsafe chmod(directory.path("open"), 0o777) == 0)
        let closed = try directory.write("a", to: "closed/file")
        let open = try directory.write("a", to: "open/file")
        #expect(
            unsafe symlink(closed, directory.path("open/link")) == 0
                && symlink(open, directory.path("closed/link")) == 0
        )
        #expect(weakness(of: directory.path("open/link")) == directory.path("open"))
        #expect(weakness(of: directory.path("closed/link")) == directory.path("open"))
    }

    @Test("A file that an access control list lets others change is weak, and one that it lets them read is not.")
    func lists() throws {
        let path = try directory.write("a", to: "file", mode: 0o644)
        for (entries, isWeak) in [("u:40001:r,m::r", false), ("u:40001:rw,m::rw", true), ("m::r", false)] {
            let (status, output) = try Program.run("/usr/bin/env", ["setfacl", "-n", "-m", entries, path])
            try #require(status == 0, "\(output)")
            #expect(weakness(of: path) == (isWeak ? path : nil), "\(entries)")
        }
    }

    @Test("A file of another user or a foreign group is weak.", .enabled(if: geteuid() == 0, "needs root"))
    func owners() throws {
        let path = try directory.write("a", to: "file", mode: 0o664)
        #expect(unsafe chown(path, 40_001, 0) == 0)
        #expect(weakness(of: path) == path)
        #expect(unsafe chown(path, 0, 40_001) == 0)
        #expect(weakness(of: path) == path)
        #expect(SecretFile.weakness(of: path, for: .init(user: 40_000, groups: [40_001])) == nil)
    }

    @Test("What isn't there or is no file has no weakness of its own, and a pipe is not waited for.")
    func others() {
        #expect(weakness(of: directory.path("none")) == nil)
        #expect(unsafe mkfifo(directory.path("pipe"), 0o600) == 0)
        #expect(weakness(of: directory.path("pipe")) == nil)
    }
}
