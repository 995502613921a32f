import DaemonConfiguration
import Foundation
import Testing

@Suite("The section fleet")
struct FleetSectionTests {
    private func parse(_ section: String) throws -> DaemonConfiguration.Fleet {
        let tenant = "tenants: { main: { host: 'https://t.example', client_id: c, client_secret: { file: /s } } }"
        let configuration = try DaemonConfiguration.parse(Data("\(tenant)\nfleet: \(section)\n".utf8), file: "c.yaml")
        return try #require(configuration.fleet)
    }

    private func fleet(url: String, _ more: String = "") throws -> DaemonConfiguration.Fleet {
        try parse("{ url: '\(url)', key: { file: /k }\(more.isEmpty ? "" : ", \(more)") }")
    }

    private func faults(_ section: String) -> [String] {
        do {
            _ = try parse(section)
            return []
        } catch {
            return (error as? ConfigurationFaults)?.faults.map(\.description) ?? ["\(error)"]
        }
    }

    @Test("Without the section there is no fleet, and its keys have defaults.")
    func defaults() throws {
        #expect(throws: (any Error).self) { try parse("") }
        let fleet = try fleet(url: "unix:///run/valkey.sock")
        #expect(fleet.engine == .unix(path: "/run/valkey.sock", database: 0) && fleet.key == .file("/k"))
        #expect(!fleet.isCluster && !fleet.allowsPlain && fleet.username == nil && fleet.password == nil)
        #expect(fleet.prefix == "tokencached" && fleet.timeout == .milliseconds(100) && fleet.caFile == nil)
    }

    @Test(
        "A URL names a host or a socket, a port and a database.",
        arguments: [
            ("redis://127.0.0.1", .tcp(host: "127.0.0.1", port: 6_379, usesTLS: false, database: 0)),
            ("redis://localhost:7000/", .tcp(host: "localhost", port: 7_000, usesTLS: false, database: 0)),
            ("redis://[::1]:7000/3", .tcp(host: "::1", port: 7_000, usesTLS: false, database: 3)),
            ("rediss://cache.internal:6380/15", .tcp(host: "cache.internal", port: 6_380, usesTLS: true, database: 15)),
            ("REDISS://10.0.0.1", .tcp(host: "10.0.0.1", port: 6_379, usesTLS: true, database: 0)),
            ("unix:///run/a/b.sock?db=2", .unix(path: "/run/a/b.sock", database: 2)),
        ] as [(String, DaemonConfiguration.EngineAddress)]
    )
    func urls(text: String, address: DaemonConfiguration.EngineAddress) throws {
        #expect(try fleet(url: text).engine == address)
    }

    @Test(
        "Another URL is a fault that shows none of it.",
        arguments: [
            "cache.internal", "http://cache.internal", "redis://", "redis:///0", "rediss://h:0", "rediss://h:65536",
            "rediss://h:1:2", "rediss://h/x", "rediss://h/-1", "rediss://h/65536", "rediss://h/0/1", "rediss://h?db=1",
            "rediss://h h", "unix://run/s", "unix:///run/", "unix:///s?db=", "unix:///s?x=1", "rediss://[::1",
            "unix:///\(String(repeating: "x", count: 107))", "",
        ]
    )
    func wrongURLs(text: String) {
        #expect(
            faults("{ url: '\(text)', key: { file: /k } }")
                == ["c.yaml:2: fleet.url: should be redis://host:port/0, rediss://host:port/0 or unix:///path"]
        )
    }

    @Test("A password in the URL is a fault that doesn't show it.")
    func passwordInURL() {
        let found = faults("{ url: 'rediss://me:hunter2@h', key: { file: /k } }")
        #expect(
            found == [
                "c.yaml:2: fleet.url: should be without user and password: they are keys of their own, the password's a file"
            ]
        )
    }

    @Test(
        "Plain TCP to another machine needs allow_plain, and a name is never looked up.",
        arguments: ["cache.internal", "10.0.0.1", "128.0.0.1", "[fe80::1]", "0.0.0.0", "localhost.example", "127.1"]
    )
    func plain(host: String) throws {
        for allow in ["", ", allow_plain: false"] {
            let found = faults("{ url: 'redis://\(host)', key: { file: /k }\(allow) }")
            #expect(found.count == 1)
            #expect(found.first?.hasPrefix("c.yaml:2: fleet.url: would send passwords without encryption") == true)
        }
        #expect(try fleet(url: "redis://\(host)", "allow_plain: true").allowsPlain)
        #expect(try fleet(url: "rediss://\(host)").engine.usesTLS)
    }

    @Test("A user, a password, authorities and a cluster are read.")
    func access() throws {
        let more = "cluster: true, username: u, password: { credential: fleet-password }, ca_file: /ca, timeout: 1.5s"
        let fleet = try fleet(url: "rediss://h", more + ", prefix: a.B-c_9")
        #expect(fleet.isCluster && fleet.username == "u" && fleet.password == .credential("fleet-password"))
        #expect(fleet.caFile == "/ca" && fleet.timeout == .milliseconds(1_500) && fleet.prefix == "a.B-c_9")
        #expect(fleet.lines.key == 2 && fleet.lines.password == 2 && fleet.lines.caFile == 2)
    }

    @Test(
        "What doesn't fit together is a fault.",
        arguments: [
            ("{}", ["fleet.url: is missing", "fleet.key: is missing"]),
            ("[]", ["fleet: should be a mapping of url, cluster, allow_plain"]),
            ("{ url: 'rediss://h', key: { file: /k }, username: u }", ["fleet.username: should come with a password"]),
            ("{ url: 'redis://[::1]', key: { file: /k }, ca_file: /c }", ["fleet.ca_file: is for rediss:// only"]),
            ("{ url: 'unix:///s', key: { file: /k }, cluster: true }", ["fleet.cluster: needs redis:// or rediss://"]),
            ("{ url: 'rediss://h/1', key: { file: /k }, cluster: true }", ["fleet.cluster: has only the database 0"]),
            ("{ url: 'rediss://h', key: c2VjcmV0 }", ["fleet.key: should be { credential: NAME } or { file: PATH }"]),
            ("{ url: 'rediss://h', key: { file: /k }, prefix: 'a{b}' }", ["fleet.prefix: should be 1 to 64 letters"]),
            ("{ url: 'rediss://h', key: { file: /k }, prefix: '' }", ["fleet.prefix: should be 1 to 64 letters"]),
            (
                "{ url: 'rediss://h', key: { file: /k }, timeuot: 1s }",
                ["fleet.timeuot: is not a known key (did you mean 'timeout'?)"]
            ),
        ]
    )
    func together(section: String, expected: [String]) {
        let found = faults(section)
        #expect(found.count == expected.count)
        for (fault, beginning) in zip(found, expected) {
            #expect(fault.hasPrefix("c.yaml:2: \(beginning)"), "\(fault)")
        }
    }

    @Test(
        "The time-out is from 10 ms to 5 s.",
        arguments: ["9ms", "5001ms", "0", "5.1s", "1m", "ms", "-20ms", "100 ms", "[]"]
    )
    func wrongTimeouts(text: String) {
        let rule = "should be a duration from 10 ms to 5 s: a number of seconds, or text such as 100ms or 2s"
        #expect(
            faults("{ url: 'rediss://h', key: { file: /k }, timeout: \(text) }") == ["c.yaml:2: fleet.timeout: \(rule)"]
        )
    }

    @Test(
        "The time-out is read in milliseconds and in seconds.",
        arguments: [("10ms", 10), ("5000ms", 5_000), ("0.25", 250), ("5s", 5_000), ("0.01s", 10)]
    )
    func timeouts(text: String, milliseconds: Int) throws {
        #expect(try fleet(url: "rediss://h", "timeout: \(text)").timeout == .milliseconds(milliseconds))
    }
}
