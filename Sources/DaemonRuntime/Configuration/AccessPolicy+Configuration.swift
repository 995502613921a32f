package import DaemonConfiguration
import Glibc
package import SocketServer
import TokenProtocol

extension AccessPolicy {
    /// The rules and the administrators of a configuration.
    ///
    /// No name is resolved yet, and no tenant is known.
    package init(_ configuration: DaemonConfiguration) {
        var administrators = PeerSet(users: configuration.administrators)
        // Root can do everything to the daemon, so excluding it is of no use, and `systemctl reload` runs as root.
        administrators.users.formUnion([0, geteuid()])
        self.init(directory: TenantDirectory(scopes: [:], defaultTenant: nil), administrators: administrators)
        guard let access = configuration.access else { return }
        rules = access.enumerated().map { AccessRule($1, index: $0) }
    }
}

extension AccessRule {
    fileprivate init(_ rule: DaemonConfiguration.AccessRule, index: Int) {
        self.init(
            peers: PeerSet(users: rule.users, groups: rule.groups, units: rule.units),
            location: "access[\(index)]" + (rule.line.map { " (line \($0))" } ?? ""),
            tenants: rule.tenants.map { Set($0) },
            scopes: rule.scopes.map { Set($0) },
            subjects: (rule.subjects ?? []).map { Glob($0) },
            userIDs: (rule.userIDs ?? []).map { Glob($0) },
            clients: Set(rule.clients ?? []),
            operations: rule.operations.map { Set($0.compactMap(OperationName.init)) } ?? AccessRule.usualOperations
        )
    }
}

extension PeerSet {
    /// The peers of three lists.
    ///
    /// `*` in one of them means every peer.
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
