package import OperatorReplies

extension Gatekeeper {
    /// The check that names the rules whose peers aren't known, or nil if all are known.
    package var check: HealthReply.Check? {
        let sentences = [unresolvedNames, unknownUnits].compactMap(\.self)
        guard !sentences.isEmpty else { return nil }
        let description = sentences.joined(separator: "; ")
        return HealthReply.Check(name: "access", tenant: nil, status: .degraded, description: description)
    }

    private var unresolvedNames: String? {
        var faults = policy.rules.compactMap { rule in
            rule.peers.unresolved.isEmpty
                ? nil : "\(rule.location) names \(rule.peers.unresolved.all.joined(separator: ", "))"
        }
        let admins = policy.administrators.unresolved
        if !admins.isEmpty { faults.append("admin.users names \(admins.all.joined(separator: ", "))") }
        guard !faults.isEmpty else { return nil }
        let names = faults.joined(separator: "; ")
        return "\(names), which this machine doesn't know now; until it does, whoever could be meant gets only what "
            + "the rules before that one give"
    }

    private var unknownUnits: String? {
        guard !rulesWithoutUnit.isEmpty else { return nil }
        let locations = rulesWithoutUnit.sorted().map { policy.rules[$0].location }.joined(separator: ", ")
        return "\(locations) goes by units, and a peer's could not be seen; such peers get only what the rules before "
            + "it give"
    }
}
