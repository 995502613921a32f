import DaemonConfiguration
import Foundation
import Glibc
import TestSupport
import Testing

@Suite("The files of tenants_directory", .timeLimit(.minutes(1)))
struct TenantsDirectoryTests {
    private static let tenant = """
        host: https://one.example
        client_id: id
        client_secret: { file: /run/secret }
        """

    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try FileManager.default.createDirectory(atPath: directory.path("d"), withIntermediateDirectories: false)
    }

    private func load(_ settings: String = "") throws(ConfigurationFaults) -> DaemonConfiguration {
        let text = "tenants_directory: \(directory.path("d"))\n\(settings)"
        return try DaemonConfiguration.parse(Data(text.utf8), file: "c.yaml")
    }

    /// The faults, without the path of the directory.
    private func faults(_ settings: String = "") -> [String] {
        do throws(ConfigurationFaults) {
            _ = try load(settings)
            return []
        } catch {
            return error.faults.map { $0.description.replacing(directory.path("d") + "/", with: "") }
        }
    }

    private func write(_ text: String = Self.tenant, to name: String) throws {
        try directory.write(text, to: "d/\(name)")
    }

    @Test("A tenant's file may begin with a byte order mark.")
    func byteOrderMark() throws {
        try write("\u{FEFF}\(Self.tenant)", to: "one.yaml")
        #expect(try load().tenants.keys.sorted() == ["one"])
    }

    @Test("Each file is one tenant, named as the file without its suffix. `tenants` may be missing.")
    func files() throws {
        try write(to: "one.yaml")
        try write(Self.tenant + "\nscope: admin_classic", to: "two.x.yaml")
        let configuration = try load("default_tenant: two.x\naccess: [{ tenants: [one, two.x] }]")
        #expect(configuration.tenants.keys.sorted() == ["one", "two.x"])
        #expect(configuration.tenants["two.x"]?.scope == "admin_classic")
        #expect(configuration.tenants["one"]?.file == directory.path("d/one.yaml"))
        #expect(configuration.defaultTenant == "two.x")
    }

    @Test("A tenant in the directory is like one in the main file, and a single one is the default.")
    func equal() throws {
        try write(to: "main.yaml")
        var tenant = try #require(try load().tenants["main"])
        #expect(try load().defaultTenant == "main")
        let section = Self.tenant.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n")
        let text = "tenants:\n  main:\n\(section)"
        let other = try DaemonConfiguration.parse(Data(text.utf8), file: "c.yaml").tenants["main"]
        (tenant.file, tenant.lines) = (nil, other?.lines ?? tenant.lines)
        #expect(tenant == other)
    }

    @Test("Hidden files, editors' backups and other suffixes are ignored.")
    func ignored() throws {
        try write(to: "one.yaml")
        for name in [".two.yaml", "two.yaml~", "#two.yaml#", "two.yaml.bak", "two.yml", "two", ".two.yaml.swp"] {
            try write("[", to: name)
        }
        #expect(try load().tenants.keys.sorted() == ["one"])
    }

    @Test("All faults of all files are reported at once: the main file's first, then by the files' names and lines.")
    func order() throws {
        try write(Self.tenant + "\ntimeout: no\ncolour: red", to: "b.yaml")
        try write("host: [", to: "a.yaml")
        try write("client_id: x", to: "z.yaml")
        let found = faults("default_tenant: b\nsize: big\ncache: { max_entries: 0 }")
        let expected = [
            "c.yaml:3: size: is not a known key", "c.yaml:4: cache.max_entries: should be a whole number",
            "a.yaml:2: it is not YAML", "b.yaml:4: timeout: should be a duration",
            "b.yaml:5: colour: is not a known key", "z.yaml:1: host: is missing", "z.yaml:1: client_secret: is missing",
        ]
        #expect(found.count == expected.count)
        for (fault, start) in zip(found, expected) { #expect(fault.hasPrefix(start)) }
    }

    @Test("A name that the main file has, too, is a fault of the directory's file.")
    func twice() throws {
        try write(to: "main.yaml")
        let section = "tenants: { main: { host: https://a.example, client_id: x, client_secret: { file: /x } } }"
        #expect(faults(section) == ["main.yaml: the main file has a tenant of this name, too: keep one of them"])
    }

    @Test(
        "A file whose name is no tenant's name is a fault.",
        arguments: ["a b", "ü", "a:b", String(repeating: "x", count: 65)]
    )
    func names(name: String) throws {
        try write(to: "\(name).yaml")
        let found = faults()
        #expect(found.count == 1)
        let start = "\(name).yaml: the file's name without .yaml should be named by 1 to 64"
        #expect(found.first?.hasPrefix(start) == true)
    }

    @Test("What can't be read as a tenant is a named fault, and none of it is waited for.")
    func unreadable() throws {
        func place(_ name: String) -> String { directory.path("d/\(name)") }
        try FileManager.default.createDirectory(atPath: place("directory.yaml"), withIntermediateDirectories: false)
        #expect(unsafe mkfifo(place("fifo.yaml"), 0o600) == 0)
        try FileManager.default.createSymbolicLink(atPath: place("loop.yaml"), withDestinationPath: "loop.yaml")
        try FileManager.default.createSymbolicLink(atPath: place("none.yaml"), withDestinationPath: "nothing")
        try write(String(repeating: "#", count: 1_048_577), to: "large.yaml")
        try write("", to: "empty.yaml")
        try write("[]", to: "list.yaml")
        try Data([0xFF]).write(to: URL(filePath: place("binary.yaml")))
        let found = faults("default_tenant: empty")
        let expected = [
            "binary.yaml: it is not UTF-8", "directory.yaml: it is no regular file",
            "empty.yaml:1: should be a mapping of host, client_id", "fifo.yaml: it is no regular file",
            "large.yaml: it is larger than 1 MiB", "list.yaml:1: should be a mapping of host, client_id",
            "loop.yaml: it can't be read: Too many levels of symbolic links", "none.yaml: it doesn't exist",
        ]
        #expect(found.count == expected.count, "\(found)")
        for (fault, start) in zip(found, expected) { #expect(fault.hasPrefix(start)) }
    }

    @Test("A link to a file elsewhere is followed, as a mounted volume of Kubernetes has them.")
    func links() throws {
        try directory.write(Self.tenant, to: "elsewhere")
        try FileManager.default.createSymbolicLink(
            atPath: directory.path("d/main.yaml"),
            withDestinationPath: "../elsewhere"
        )
        #expect(try load().tenants.keys.sorted() == ["main"])
    }

    @Test("A directory that is missing or none, and a relative path, are faults of the key.")
    func directories() {
        func read(_ path: String) -> String? {
            do throws(ConfigurationFaults) {
                _ = try DaemonConfiguration.parse(Data("tenants_directory: \(path)".utf8), file: "c.yaml")
                return nil
            } catch {
                return error.description
            }
        }
        #expect(read("/nowhere/d") == "c.yaml:1: tenants_directory: names /nowhere/d: it doesn't exist")
        let start = "c.yaml:1: tenants_directory: names /dev/null: it is no directory"
        #expect(read("/dev/null")?.hasPrefix(start) == true)
        #expect(read("d") == "c.yaml:1: tenants_directory: should be an absolute path")
    }

    @Test("Without any tenant the directory isn't enough.")
    func empty() {
        #expect(faults() == ["c.yaml:1: tenants: is missing: tenants_directory has none, so name at least one tenant"])
    }

    @Test("A fault that would list a thousand tenants lists ten.")
    func manyNames() throws {
        for number in 10..<30 { try write(to: "t\(number).yaml") }
        #expect(
            faults("default_tenant: x") == [
                "c.yaml:2: default_tenant: should be one of the tenants: "
                    + "t10, t11, t12, t13, t14, t15, t16, t17, t18, t19 and 10 more"
            ]
        )
    }
}
