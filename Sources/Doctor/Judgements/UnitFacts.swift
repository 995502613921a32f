/// The state of a unit of systemd, as `systemctl show` prints it.
package struct UnitFacts: Sendable, Equatable {
    /// The properties that are asked for.
    package static let properties = [
        "Id", "LoadState", "UnitFileState", "ActiveState", "SubState", "Result", "StateChangeTimestamp", "NRestarts",
        "ExecMainStatus", "MainPID", "UID",
    ]
    /// The daemon's exit status for a wrong configuration.
    private static let wrongConfiguration = "78"
    /// The states of a unit's file in which the unit starts with the machine, or by another unit.
    private static let startingStates: Set<String> = [
        "enabled", "enabled-runtime", "static", "linked", "linked-runtime", "alias", "indirect", "generated",
        "transient",
    ]

    private let values: [String: String]

    /// Creates facts from properties.
    package init(_ values: [String: String]) { self.values = values }

    /// Reads the output of `systemctl show`, in which an empty line separates the units.
    package static func read(_ text: String) -> [UnitFacts] {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .split { $0.isEmpty }
            .map { lines in
                let pairs = lines.compactMap { line -> (String, String)? in
                    guard let mark = line.firstIndex(of: "=") else { return nil }
                    return (String(line[..<mark]), String(line[line.index(after: mark)...]))
                }
                return UnitFacts(Dictionary(pairs) { $1 })
            }
    }

    /// The unit's name.
    package var name: String { self["Id"] }
    /// True if systemd knows the unit.
    package var isLoaded: Bool { self["LoadState"] == "loaded" }
    package var isActive: Bool { ["active", "reloading"].contains(self["ActiveState"]) }
    /// The number of the unit's main process, or nil if it has none.
    package var mainProcess: Int32? { Int32(self["MainPID"]).flatMap { $0 > 0 ? $0 : nil } }
    /// The uid of the unit's processes, or nil if it isn't known.
    package var user: UInt32? { UInt32(self["UID"]) }

    private subscript(name: String) -> String { values[name] ?? "" }
}

extension UnitFacts {
    /// The judgement.
    package var finding: Finding {
        guard isLoaded else {
            let advice = "install the units of the package, then systemctl daemon-reload"
            return .failed(.unit, name, "it is not loaded (\(self["LoadState"]))", advice)
        }
        switch self["ActiveState"] {
        case "active", "reloading", "refreshing": return running
        case "inactive" where !isSocket:
            return .warning(
                .unit,
                name,
                "it is inactive since \(since); the first connection starts it",
                "systemctl start \(name)"
            )
        case "inactive", "deactivating":
            return .failed(.unit, name, "it is \(self["ActiveState"]) since \(since)", "systemctl enable --now \(name)")
        case "activating" where self["SubState"] != "auto-restart":
            return .failed(.unit, name, "it has been starting since \(since)", journal)
        default: return .failed(.unit, name, "\(failure), since \(since)\(restarts)", remedy)
        }
    }

    private var running: Finding {
        guard isSocket, !Self.startingStates.contains(self["UnitFileState"]) else {
            return .ok(.unit, name, "it is \(self["ActiveState"]) (\(self["SubState"])) since \(since)")
        }
        let found = "it is active, but \(self["UnitFileState"]): it won't be after the next start of the machine"
        return .warning(.unit, name, found, "systemctl enable \(name)")
    }

    private var isSocket: Bool { name.hasSuffix(".socket") }

    private var since: String {
        let time = self["StateChangeTimestamp"]
        return time.isEmpty ? "the start of the machine" : time
    }

    private var failure: String {
        self["SubState"] == "auto-restart" ? "it ends again and again (\(cause))" : "it has failed (\(cause))"
    }

    private var cause: String {
        self["Result"] == "exit-code" ? "exit status \(self["ExecMainStatus"])" : self["Result"]
    }

    private var restarts: String {
        let count = self["NRestarts"]
        return count.isEmpty || count == "0" ? "" : ", \(count) restarts"
    }

    private var remedy: String {
        self["ExecMainStatus"] == Self.wrongConfiguration
            ? "correct what the steps before found; \(journal)" : journal
    }

    private var journal: String { "journalctl -u \(name) -n 50 shows the reason" }
}
