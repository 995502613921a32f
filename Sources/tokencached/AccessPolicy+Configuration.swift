import DaemonConfiguration
import Glibc
import SocketServer
import TokenProtocol

extension AccessPolicy {
    /// The rules and the administrators of a configuration; no name is resolved yet.
    init(_ configuration: DaemonConfiguration) {
        var administrators = PeerSet(users: configuration.administrators)
        // Root can do everything to the daemon, so there is no use in locking it out; and `systemctl reload` asks as root.
        administrators.users.formUnion([0, geteuid()])
        // Which tenants there are is known when their identities are.
        self.init(directory: TenantDirectory(scopes: [:], defaultTenant: nil), administrators: administrators)
        guard let access = configuration.access else { return }
        rules = access.enumerated().map { index, rule in
            AccessRule(
                peers: PeerSet(users: rule.users, groups: rule.groups, units: rule.units),
                location: "access[\(index)]" + (rule.line.map { " (line \($0))" } ?? ""),
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
    fileprivate init(users: [String]?, groups: [String]? = nil, units: [String]? = nil) {
        let (users, groups, units) = (users ?? [], groups ?? [], units ?? [])
        guard !(users + groups + units).contains("*") else {
            self = .everyone
            return
        }
        self.init(
            users: Set(users.compactMap { Accounts.number($0) }),
            groups: Set(groups.compactMap { Accounts.number($0) }),
            units: units.map { Glob($0) },
            names: AccountNames(
                users: Set(users.filter { Accounts.number($0) == nil }),
                groups: Set(groups.filter { Accounts.number($0) == nil })
            )
        )
    }
}
