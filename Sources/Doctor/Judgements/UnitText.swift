/// The settings in a unit's file and its drop-ins, as `systemctl cat` prints them.
package struct UnitText: Sendable, Equatable {
    /// The sources of the credentials by name, nil for one that systemd searches for.
    package private(set) var credentials: [String: String?] = [:]
    /// The command that starts the daemon.
    package private(set) var command: [String] = []
    /// The user of the processes, or nil for root.
    package private(set) var user: String?
    /// The groups of the processes besides the user's own.
    package private(set) var groups: [String] = []

    /// Reads a unit's text.
    ///
    /// As in systemd, a setting without a value removes what was set before.
    package init(_ text: String) {
        for line in Self.joined(text) {
            guard let mark = line.firstIndex(of: "="), !line.hasPrefix("#"), !line.hasPrefix(";") else { continue }
            let value = line[line.index(after: mark)...].drop { $0 == " " }
            switch line[..<mark].filter({ $0 != " " }) {
            case "LoadCredential", "LoadCredentialEncrypted": addCredential(value)
            case "User": user = value.isEmpty ? nil : String(value)
            case "Group", "SupplementaryGroups": addGroups(value)
            case "ExecStart": command = value.split(separator: " ").map(String.init)
            default: break
            }
        }
    }

    /// The path of the configuration that the command names, or nil for the daemon's default.
    package var configurationPath: String? {
        for (index, word) in command.enumerated() {
            if word.hasPrefix("--config=") { return String(word.dropFirst("--config=".count)) }
            if word == "--config", index + 1 < command.count { return command[index + 1] }
        }
        return nil
    }

    private mutating func addGroups(_ value: Substring) {
        if value.isEmpty { groups = [] }
        groups += value.split(separator: " ").map(String.init)
    }

    private mutating func addCredential(_ value: Substring) {
        if value.isEmpty { credentials = [:] }
        guard !value.isEmpty else { return }
        let parts = value.split(separator: ":", maxSplits: 1).map(String.init)
        credentials[parts[0]] = .some(parts.count > 1 ? parts[1] : nil)
    }

    /// The lines, each joined with the next one if it ends with a backslash.
    private static func joined(_ text: String) -> [String] {
        text.split(separator: "\n").reduce(into: [""]) { lines, line in
            let isContinued = line.hasSuffix("\\")
            lines[lines.count - 1] += isContinued ? line.dropLast() + " " : line
            if !isContinued { lines.append("") }
        }
    }
}
