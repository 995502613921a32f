import FleetStore
package import OperatorReplies
import TokenCache
import TokenProtocol

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The state of the fleet, for operators.
extension FleetMembership {
    /// The characters of an engine's identity that operators see, enough to tell a few processes apart.
    private static let shownOfEpoch = 8

    /// Adds the state of the second level to the statistics, if there is a fleet.
    package func fill(_ stats: inout StatsReply) { fill(&stats, now: .now, wall: .now) }

    private func fill(_ stats: inout StatsReply, now: Instant, wall: WallTime) {
        guard let status else { return }
        var fleet = stats.fleet ?? StatsReply.Fleet()
        fleet.isConnected = status.isConnected
        fleet.since = status.since.map { since in
            let age = UInt32(clamping: max(now - since, .zero).components.seconds)
            return WallTime(seconds: wall.seconds - min(age, wall.seconds)).text
        }
        fleet.tenantsAway = status.tenantsAway
        // This machine counts itself, also before it has counted the others.
        fleet.machines = max(1, status.machines)
        fleet.epochs = status.epochs.map { String($0.prefix(Self.shownOfEpoch)) }.sorted()
        fleet.circuit = status.isCircuitOpen ? .open : .closed
        fleet.calls = status.calls
        fleet.failed = Dictionary(uniqueKeysWithValues: status.failed.map { ($0.rawValue, $1) })
        fleet.eventsBehind = Int(clamping: status.eventsBehind)
        fleet.keys = status.keys.map { key in
            var shown = StatsReply.Fleet.Key(id: key.id)
            let isKnown = status.machines > 0
            (shown.machines, shown.sealing) = isKnown ? (key.machines, key.sealing) : (nil, nil)
            (shown.opened, shown.notOpened) = (key.opened, key.notOpened)
            return shown
        }
        fleet.settledFor = status.settledSince.map { max(now - $0, .zero) / .seconds(1) }
        stats.fleet = fleet
    }
}

extension WallTime {
    /// The time now.
    static var now: WallTime { WallTime(seconds: UInt32(clamping: Int(Date().timeIntervalSince1970))) }
}
