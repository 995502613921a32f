import OperatorReplies

extension Gatekeeper {
    /// The check that tells which rules' peers aren't known; nil: all are.
    var doubts: HealthReply.Check? {
        var faults = policy.rules.compactMap { rule in
            rule.peers.unresolved.isEmpty
                ? nil : "\(rule.place) names \(rule.peers.unresolved.all.joined(separator: ", "))"
        }
        let admins = policy.administrators.unresolved
        if !admins.isEmpty { faults.append("admin.users names \(admins.all.joined(separator: ", "))") }
        var sentences: [String] = []
        if !faults.isEmpty {
            sentences.append(
                "\(faults.joined(separator: "; ")), which this machine doesn't know now; until it does, whoever could be "
                    + "meant gets only what the rules before that one give"
            )
        }
        if !rulesWithoutUnit.isEmpty {
            let places = rulesWithoutUnit.sorted().map { policy.rules[$0].place }.joined(separator: ", ")
            sentences.append(
                "\(places) goes by units, and a peer's could not be seen; such peers get only what the rules before it give"
            )
        }
        guard !sentences.isEmpty else { return nil }
        let description = sentences.joined(separator: "; ")
        return HealthReply.Check(name: "access", tenant: nil, status: .degraded, description: description)
    }
}
