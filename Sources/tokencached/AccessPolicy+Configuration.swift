import DaemonConfiguration
import Glibc
import SocketServer
import TokenProtocol

extension AccessPolicy {
    /// Who may ask for what, and who administers, names looked up.
    ///
    /// - Parameter unknown: Is told each name that this machine doesn't know; nobody is meant by it.
    init(_ configuration: DaemonConfiguration, unknown: (_ kind: String, _ name: String) -> Void) {
        var administrators = PeerSet(users: configuration.administrators, unknown: unknown)
        administrators.users.insert(geteuid())
        // Which tenants there are is known when their identities are.
        self.init(directory: TenantDirectory(scopes: [:], defaultTenant: nil), administrators: administrators)
        guard let access = configuration.access else { return }
        rules = access.map { rule in
            AccessRule(
                peers: PeerSet(users: rule.users, groups: rule.groups, units: rule.units, unknown: unknown),
                tenants: rule.tenants.map { Set($0) },
                scopes: rule.scopes.map { Set($0) },
                subjects: (rule.subjects ?? []).map { Glob($0) },
                userIDs: (rule.userIDs ?? []).map { Glob($0) },
                operations: rule.operations.map { Set($0.compactMap(OperationName.init)) } ?? AccessRule.grantable
            )
        }
    }
}

extension PeerSet {
    /// In each of the lists `*` means everyone.
    fileprivate init(
        users: [String]?,
        groups: [String]? = nil,
        units: [String]? = nil,
        unknown: (_ kind: String, _ name: String) -> Void
    ) {
        let (users, groups, units) = (users ?? [], groups ?? [], units ?? [])
        guard !(users + groups + units).contains("*") else {
            self = .everyone
            return
        }
        self.init(
            users: Set(users.compactMap { Self.number(of: $0, Accounts.user) { unknown("user", $0) } }),
            groups: Set(groups.compactMap { Self.number(of: $0, Accounts.group) { unknown("group", $0) } }),
            units: units.map { Glob($0) }
        )
    }

    private static func number(
        of name: String,
        _ look: (String) -> UInt32?,
        unknown: (String) -> Void
    ) -> UInt32? {
        let number = look(name)
        if number == nil { unknown(name) }
        return number
    }
}
