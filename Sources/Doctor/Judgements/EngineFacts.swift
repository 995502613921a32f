package import FleetStore

/// The findings about the engine that the machines of a fleet share.
package struct EngineFacts: Sendable, Equatable {
    /// The oldest versions that can be used, by the engine's name.
    private static let oldest = ["redis": [6, 2], "valkey": [7, 2]]
    /// The part of the time limit above which a call is slow.
    private static let slowShare = 0.5

    /// The engine's address.
    package var address: String
    /// The time limit of a call.
    package var timeout: Duration
    package var report: EngineProbe.Report

    /// Creates facts.
    package init(address: String, timeout: Duration, report: EngineProbe.Report) {
        self.address = address
        self.timeout = timeout
        self.report = report
    }

    /// The judgement.
    ///
    /// An engine that can't be used keeps no user from a token, so it is no failure.
    package var finding: Finding {
        if let step = report.failed { return .warning(.fleet, address, found(step), advice(step)) }
        if let version = report.version, isTooOld(version) {
            return .warning(.fleet, address, "the engine is \(version)", "use Redis 6.2, Valkey 7.2 or later")
        }
        let version = report.version ?? "an engine of unknown version"
        let latency = report.latency ?? .zero
        let found = "\(version) stores, opens and drops tokens; a call takes \(Self.text(latency))"
        guard latency <= timeout * Self.slowShare else {
            let advice = "an engine nearer to this machine, or a longer fleet.timeout than \(Self.text(timeout))"
            return .warning(.fleet, address, found, advice)
        }
        return .ok(.fleet, address, found)
    }

    private func found(_ step: EngineProbe.Step) -> String {
        let what =
            switch step {
            case .connect: "the engine can't be used"
            case .lease: "the engine is connected to, but no lease can be taken"
            case .open: "the engine is connected to, but what was stored isn't found, or doesn't open"
            case .drop: "the engine is connected to, but notes no drop"
            }
        guard let fault = report.fault else { return "\(what): no answer in time" }
        return "\(what): \(fault.kind.rawValue)\(fault.detail.isEmpty ? "" : ", \(fault.detail)")"
    }

    private func advice(_ step: EngineProbe.Step) -> String {
        switch report.fault?.kind {
        case .forbidden: "compare fleet.username, fleet.password and the user's rights (ACL GETUSER) with the manual's"
        case .unreachable, .notConnected, nil: "see that the engine runs, and that fleet.url leads to it"
        case .tls: "see that fleet.ca_file has the certificate's authority, and the certificate the host's name"
        case .readOnly: "let fleet.url lead to the primary, not to a replica"
        case .full: "give the engine more memory (maxmemory), or see why it can't write to its disk"
        case .loading, .moving, .clusterDown: "wait until the engine is ready; CLUSTER INFO in a cluster"
        case .timeout, .busy, .overloaded, .connectionLost:
            "see the network, and what keeps the engine busy (SLOWLOG GET)"
        case .rejected, .malformed: "see that fleet.url leads to Redis 6.2, Valkey 7.2 or later"
        }
    }

    private func isTooOld(_ version: String) -> Bool {
        let words = version.split(separator: " ")
        guard words.count == 2, let oldest = Self.oldest[String(words[0])] else { return false }
        let numbers = words[1].split(separator: ".").map { Int($0) ?? 0 }
        return numbers.lexicographicallyPrecedes(oldest)
    }

    private static func text(_ time: Duration) -> String {
        let microseconds = Int(time / .microseconds(1))
        return microseconds < 10_000 ? "\(Double(microseconds / 10) / 100) ms" : "\(microseconds / 1_000) ms"
    }
}
