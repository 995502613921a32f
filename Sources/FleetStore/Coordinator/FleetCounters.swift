/// The numbers that operators see.
struct FleetCounters: Sendable, Equatable {
    /// The calls that were sent.
    var calls = 0
    /// The calls and connections that failed.
    var failed: [EngineFault: Int] = [:]
    /// The values that opened, by the position of the key under whose names they were found.
    var opened: [Int: Int] = [:]
    /// The values that didn't open, by the position of the key under whose names they were found.
    var notOpened: [Int: Int] = [:]
    /// The events of other machines that didn't open.
    var eventsNotOpened = 0
    /// The last failure, and the engine's or the system's words.
    var lastFault: FleetStatus.Fault?

    /// Counts a failure.
    mutating func fail(_ fault: EngineFault, _ detail: String = "") {
        // Then no call was made.
        guard fault != .notConnected else { return }
        failed[fault, default: 0] += 1
        // The calls that a closed connection takes with it have no words of their own, and the reason was counted before.
        guard fault != .connectionLost || !detail.isEmpty || lastFault == nil else { return }
        lastFault = FleetStatus.Fault(kind: fault, detail: String(detail.prefix(200)))
    }
}
