import TokenCache
import TokenProtocol

extension AuditRecord.ProvisionStep {
    /// The maximum number of bytes of the names of groups in one field, past which only their number is recorded.
    private static let maxNames = 8_192

    /// True if the step is a failure.
    var isFailure: Bool { if case .failed = self { true } else { false } }

    /// The value of `outcome`.
    var outcome: String {
        switch self {
        case .created: "created"
        case .groupsChanged: "changed"
        case .failed(let failure): failure.code.rawValue
        }
    }

    /// The fields that tell more than the outcome.
    var fields: [AuditField] {
        switch self {
        case .created: []
        case .groupsChanged(let added, let removed):
            Self.fields("groups_added", added) + Self.fields("groups_removed", removed)
        case .failed(let failure): failure.fields
        }
    }

    private static func fields(_ name: String, _ groups: [String]) -> [AuditField] {
        guard !groups.isEmpty else { return [] }
        var size = 0
        let shown = Array(
            groups.prefix { group in
                size += group.utf8.count
                return size <= maxNames
            }
        )
        let list = AuditField(name, shown)
        return shown.count == groups.count ? [list] : [list, AuditField("\(name)_count", groups.count)]
    }
}

extension AuditRecord.Failure {
    /// The tenant's answer, or the daemon's own code.
    var fields: [AuditField] {
        (upstream.map { [AuditField("upstream_status", $0.status)] } ?? [])
            + ((upstream?.code ?? cause).map { [AuditField("upstream_code", $0)] } ?? [])
    }
}
