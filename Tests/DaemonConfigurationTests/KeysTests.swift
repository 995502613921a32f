import DaemonConfiguration
import Foundation
import Testing

/// The reader, the example and the reference have the same keys and defaults.
@Suite("The keys of the configuration, as the reader, the example and the reference have them")
struct KeysTests {
    /// A key that takes a value, with the keys that enclose it.
    struct Leaf: Sendable, CustomTestStringConvertible {
        /// The names from the outermost to the key's own.
        ///
        /// A tenant is called `main` here, and a further client `backend`.
        let path: [String]
        let key: ConfigurationKey

        var testDescription: String { path.joined(separator: ".") }
    }

    private static let leaves = leaves(of: ConfigurationKey.all)

    /// The names that this test has for what the file names, by the keys that enclose it.
    private static let names = [["tenants"]: "main", ["tenants", "main", "clients"]: "backend"]

    private static func leaves(of keys: [ConfigurationKey], in path: [String] = []) -> [Leaf] {
        keys.flatMap { key in
            let path = path + [key.name] + (names[path + [key.name]].map { [$0] } ?? [])
            return key.keys.isEmpty ? [Leaf(path: path, key: key)] : leaves(of: key.keys, in: path)
        }
    }

    private static func example() throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardizedFileURL
        return try String(contentsOf: root.appending(path: "Config/tokencached.yaml"), encoding: .utf8)
    }

    /// A configuration of the required keys and one more, whose value stands on one line.
    private func text(_ path: [String] = [], _ value: String = "") -> String {
        var tenant = [
            "host": "https://your-tenant.eu.qlikcloud.com", "client_id": "0123456789abcdef",
            "client_secret": "{ credential: main-client-secret }",
        ]
        var lines: [String] = []
        if path.starts(with: ["tenants", "main"]) {
            tenant[path[2]] = nested(path.dropFirst(3), value)
        } else if path.first == "fleet" {
            lines = ["fleet: { \(Self.fleet(path.last, value)) }"]
        } else if path.first == "access" {
            lines = ["access: [\(nested(path.dropFirst(), value))]"]
        } else if let key = path.first {
            lines = ["\(key): \(nested(path.dropFirst(), value))"]
        }
        lines += ["tenants:", "  main:"]
        lines += tenant.sorted { $0.key < $1.key }.map { "    \($0.key): \($0.value)" }
        return lines.joined(separator: "\n")
    }

    /// The required keys of a fleet, and one more.
    private static func fleet(_ key: String? = nil, _ value: String = "") -> String {
        var keys = ["url": "unix:///run/engine.sock", "key": "{ credential: fleet-key }"]
        if let key { keys[key] = value }
        return keys.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
    }

    private func nested(_ path: some Collection<String>, _ value: String) -> String {
        path.first.map { "{ \($0): \(nested(path.dropFirst(), value)) }" } ?? value
    }

    private func parse(_ text: String) throws -> DaemonConfiguration {
        var configuration = try DaemonConfiguration.parse(Data(text.utf8), file: "t.yaml")
        configuration.tenants["main"]?.lines = DaemonConfiguration.Lines()
        configuration.metricsLine = nil
        configuration.logFormatLine = nil
        configuration.auditLine = nil
        configuration.fleet?.lines = DaemonConfiguration.FleetLines()
        return configuration
    }

    @Test("The example states the defaults, and nothing else but its tenant.")
    func exampleIsDefault() throws {
        #expect(try parse(Self.example()) == parse(text()))
    }

    @Test("The example shows every key, with its default if it has one.", arguments: leaves)
    func exampleIsComplete(leaf: Leaf) throws {
        let lines = try Self.example().split(separator: "\n").map { $0.drop { " #-".contains($0) } }
        let shown = "\(leaf.key.name): \(leaf.key.defaultValue ?? "")"
        #expect(lines.contains { $0.hasPrefix(shown) })
    }

    @Test("A key is read: a value of a wrong kind is a fault of that key.", arguments: leaves)
    func keyIsRead(leaf: Leaf) {
        let faults = #expect(throws: ConfigurationFaults.self) { try parse(text(leaf.path, "[{ a: [] }]")) }
        let name = leaf.path.first == "access" ? "access[0].\(leaf.key.name)" : leaf.testDescription
        #expect(faults?.faults.contains { $0.key.hasPrefix(name) } == true)
    }

    @Test("A default that the reference states is the one that holds.", arguments: leaves)
    func defaultHolds(leaf: Leaf) throws {
        guard let value = leaf.key.defaultValue else { return }
        let without = leaf.path.first == "fleet" ? "fleet: { \(Self.fleet()) }\n\(text())" : text()
        #expect(try parse(text(leaf.path, value)) == parse(without))
    }

    @Test("A required key is a fault where it is missing, and no other key is.")
    func required() {
        let required = Self.leaves.filter(\.key.isRequired).map(\.testDescription)
        #expect(
            required == [
                "tenants.main.host", "tenants.main.client_id", "tenants.main.clients.backend.client_id",
                "tenants.main.provision.client", "fleet.url", "fleet.key",
            ]
        )
        #expect(throws: Never.self) { try parse(text()) }
    }

    @Test("Each key says its form and its purpose, as one sentence or more.", arguments: leaves)
    func described(leaf: Leaf) {
        #expect(!leaf.key.form.isEmpty && !leaf.key.form.hasSuffix("."))
        #expect(leaf.key.summary.hasSuffix("."))
    }
}
