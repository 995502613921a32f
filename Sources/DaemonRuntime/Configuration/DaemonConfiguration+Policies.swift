package import Audit
package import DaemonConfiguration
import SocketServer
import TokenCache
import TokenProtocol

/// The configuration as the modules need it.
extension DaemonConfiguration {
    /// The pace of each tenant's calls.
    func tenantPolicies(_ identities: [String: TenantID]) -> [TenantID: TenantPolicy] {
        byIdentity(identities) { tenant in
            var policy = tenant.policy
            policy.timeout = tenant.timeout
            return policy
        }
    }

    /// The tenants' prefetch files.
    func prefetchJobs(_ identities: [String: TenantID]) -> [TenantID: PrefetchSchedule.Job] {
        byIdentity(identities) { tenant in
            guard let prefetch = tenant.prefetch, let scopes = ScopeSet(tenant.scope) else { return nil }
            return PrefetchSchedule.Job(file: prefetch.file, every: prefetch.every, scopes: scopes)
        }
    }

    /// An access policy that knows the tenants with these identities.
    func access(_ access: AccessPolicy, _ identities: [String: TenantID]) -> AccessPolicy {
        var access = access
        access.directory = TenantDirectory(
            scopes: byIdentity(identities) { ScopeSet($0.scope) },
            clients: byIdentity(identities) { $0.policy.clients },
            provisioning: byIdentity(identities) { $0.policy.provisioning },
            defaultTenant: defaultTenant
        )
        return access
    }

    private func byIdentity<Value>(
        _ identities: [String: TenantID],
        _ value: (Tenant) -> Value?
    ) -> [TenantID: Value] {
        var values: [TenantID: Value] = [:]
        for (name, tenant) in tenants {
            if let id = identities[name] { values[id] = value(tenant) }
        }
        return values
    }

    /// The destination of the audit trail, which is the journal by default, if there is one.
    package var auditDestination: AuditDestination { audit ?? (AuditTrail.hasJournal ? .journal : .nowhere) }
}

extension DaemonConfiguration.Socket {
    /// The path, mode and group to bind.
    var address: ListeningSocket.Address { ListeningSocket.Address(path: path, mode: mode, group: group) }
}
