package import OperatorReplies
import SafeText

/// Lays out for people which machines have which key of a fleet, and what can be done next.
package struct KeyRotationView {
    private let fleet: StatsReply.Fleet
    private let display: Display

    package init(_ fleet: StatsReply.Fleet, _ display: Display = .plain) {
        self.fleet = fleet
        self.display = display
    }

    /// A line for each key, and the next step.
    package var text: String {
        var rows = AlignedRows(display)
        for (index, key) in fleet.keys.enumerated() { rows.add("key \(index + 1)", text(of: key)) }
        let rotation = KeyRotation(fleet)
        rows.add("next step", rotation.isSafe ? text(of: rotation) : display.style.yellow(text(of: rotation)))
        return rows.text
    }

    private func text(of key: StatsReply.Fleet.Key) -> String {
        let (machines, sealing) = (key.machines.map(String.init) ?? "?", key.sealing.map(String.init) ?? "?")
        return "\(key.id.printable), on \(machines) of \(fleet.machines) machines, \(sealing) seal with it"
    }

    private func text(of rotation: KeyRotation) -> String {
        switch rotation {
        case .unknown: "unknown, as the engine is away or other machines don't tell their keys"
        case .single: "add a new key as the second line on all machines, and reload"
        case .missing(let position):
            "none yet: put key \(position) behind the others on the machines that lack it, and reload"
        case .mixed: "put the same key first on all machines, and reload"
        case .early(let seconds):
            "the new key can be put first on all machines; if that was done, the other keys can be removed in "
                + seconds.durationText
        case .settled: "the new key can be put first on all machines; if that was done, the other keys can be removed"
        }
    }
}
