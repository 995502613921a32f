import FleetProtocol

/// Drops of other machines that this one repeats under the names of its own keys, until the engine has noted them.
///
/// A drop invalidates what is stored under the names of its sender's keys. While keys are being changed a machine may have
/// a key that the sender lacks.
struct RepeatedDrops: Sendable, Equatable {
    /// The most drops that are remembered.
    ///
    /// Beyond, one drop of the whole tenant stands for all of them.
    static let most = 1_000

    private var drops: [UInt64: EngineDrop] = [:]
    private var last: UInt64 = 0

    /// The drops that the engine has not noted, the oldest first.
    var all: [(number: UInt64, drop: EngineDrop)] {
        drops.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// Remembers a drop, and returns what is to be sent.
    mutating func add(_ drop: EngineDrop) -> (number: UInt64, drop: EngineDrop) {
        var drop = drop
        if drops.count >= Self.most {
            let fences = drops.values.compactMap(\.fence) + [drop.fence].compactMap(\.self)
            drop = EngineDrop(names: drop.names, target: .tenant, fence: fences.max(), event: nil)
            drops = [:]
        }
        last += 1
        drops[last] = drop
        return (last, drop)
    }

    /// Takes note that the engine has noted a drop.
    mutating func noted(_ number: UInt64) { drops[number] = nil }
}
