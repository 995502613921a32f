import DaemonConfiguration
import Foundation
import Testing

/// The code has the defaults once.
///
/// The example and the manual, which people read, have to state the same.
@Suite("The defaults that the example and the manual state")
struct DefaultsTests {
    /// A default in the manual.
    struct Stated: Sendable, CustomTestStringConvertible {
        /// The key, joined by dots.
        ///
        /// Those of a tenant begin with `tenants.main`.
        let key: String
        /// The value, as it is written in the file.
        let value: String

        var testDescription: String { "\(key): \(value)" }

        /// The last part of the key.
        var name: String { key.split(separator: ".").last.map(String.init) ?? "" }
    }

    private static func file(_ path: String) throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardizedFileURL
        return try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// The defaults that the manual states below each line of keys, as `Default: VALUE`.
    private static let stated: [Stated] = {
        guard let manual = try? file("Documentation/man/tokencached.yaml.5.scd") else { return [] }
        var (section, keys, found) = ("", [String](), [Stated]())
        for line in manual.split(separator: "\n") {
            if line.hasPrefix("# ") { section = String(line.dropFirst(2)) }
            if line.hasPrefix("*") { keys = line.matches(of: /\*([a-z_.]+)\*/).map { String($0.1) } }
            guard let match = line.firstMatch(of: /Default: (\S+?)(?: and (\S+?))?\.(?:\s|$)/) else { continue }
            for (index, key) in keys.enumerated() {
                let value = index > 0 ? match.2 ?? match.1 : match.1
                found.append(Stated(key: (section == "TENANTS" ? "tenants.main." : "") + key, value: String(value)))
            }
        }
        return found
    }()

    /// The least that can be configured, with one more value of the outermost level and one more of the tenant.
    private func parse(_ setting: String = "", _ option: String = "") throws -> DaemonConfiguration {
        let text = """
            \(setting)
            tenants:
              main:
                host: https://your-tenant.eu.qlikcloud.com
                client_id: 0123456789abcdef
                client_secret: { credential: main-client-secret }
                \(option)
            """
        return withoutLines(try DaemonConfiguration.parse(Data(text.utf8), file: "t.yaml"))
    }

    private func withoutLines(_ configuration: DaemonConfiguration) -> DaemonConfiguration {
        var configuration = configuration
        configuration.tenants["main"]?.lines = DaemonConfiguration.Lines()
        configuration.logFormatLine = nil
        return configuration
    }

    /// A line of YAML that sets a key which is joined by dots.
    private func yaml(_ key: some StringProtocol, _ value: String) -> String {
        guard let dot = key.firstIndex(of: ".") else { return "\(key): \(value)" }
        return "\(key[..<dot]): { \(yaml(key[key.index(after: dot)...], value)) }"
    }

    @Test("The example states the defaults, and nothing else but its tenant.")
    func example() throws {
        let example = try DaemonConfiguration.parse(Data(Self.file("Config/tokencached.yaml").utf8), file: "e.yaml")
        #expect(withoutLines(example) == (try parse()))
    }

    @Test("The manual states the default of each of these keys.")
    func complete() {
        #expect(
            Self.stated.map(\.key) == [
                "sockets.max_connections",
                "cache.max_entries", "cache.idle_ttl", "cache.negative_ttl", "cache.keep_across_restarts",
                "refresh.ahead", "refresh.jitter", "refresh.last_chance", "refresh.min_ttl", "refresh.default_lifetime",
                "tenants.main.scope", "tenants.main.timeout", "tenants.main.rate.per_minute", "tenants.main.rate.burst",
                "tenants.main.max_concurrent",
                "quotas.connections", "quotas.waiting", "quotas.entries",
                "admin.users", "log.level", "log.format",
            ]
        )
    }

    @Test("A default that the manual states is the one that holds, and the example shows it.", arguments: stated)
    func manual(stated: Stated) throws {
        let value = stated.key == "admin.users" ? "[\(stated.value)]" : stated.value
        let prefix = "tenants.main."
        let configuration =
            stated.key.hasPrefix(prefix)
            ? try parse("", yaml(stated.key.dropFirst(prefix.count), value)) : try parse(yaml(stated.key, value))
        #expect(configuration == (try parse()))
        let lines = try Self.file("Config/tokencached.yaml").split(separator: "\n").map { $0.drop { $0 == " " } }
        let shown = "\(stated.name): \(value)"
        #expect(lines.contains { $0 == shown || $0.hasPrefix("\(shown) ") })
    }
}
