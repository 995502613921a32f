import Audit
import DaemonConfiguration
import Logging
import SocketServer
import TokenCache
import TokenProtocol

/// What each room needs of the configuration.
extension DaemonConfiguration {
    /// The cache's and the refreshes' settings.
    var cachePolicy: CachePolicy {
        var policy = CachePolicy()
        policy.maxEntries = cache.maxEntries
        policy.idleTTL = cache.idleTTL
        policy.negativeTTL = cache.negativeTTL
        policy.ahead = refresh.ahead
        policy.jitter = refresh.jitter
        policy.refreshDeadline = refresh.lastChance
        policy.minTTL = refresh.minTTL
        policy.defaultLifetime = refresh.defaultLifetime
        policy.entriesShare = quotas.entries
        policy.waitingShare = quotas.waiting
        return policy
    }

    /// How each tenant may be called.
    func tenantPolicies(_ identities: [String: TenantID]) -> [TenantID: TenantPolicy] {
        var policies: [TenantID: TenantPolicy] = [:]
        for (name, tenant) in tenants {
            guard let id = identities[name] else { continue }
            policies[id] = TenantPolicy(
                identity: tenant.identity,
                ratePerMinute: tenant.ratePerMinute,
                burst: tenant.burst,
                maxConcurrent: tenant.maxConcurrent
            )
        }
        return policies
    }

    /// Which tenants may be asked for which scopes.
    func directory(_ identities: [String: TenantID]) -> TenantDirectory {
        var scopes: [TenantID: ScopeSet] = [:]
        for (name, tenant) in tenants {
            if let id = identities[name] { scopes[id] = ScopeSet(tenant.scope) }
        }
        return TenantDirectory(scopes: scopes, defaultTenant: defaultTenant)
    }

    /// Where the audit trail goes: where nothing is said, to the journal, if there is one.
    var auditDestination: Audit.AuditDestination {
        switch audit {
        case nil: AuditTrail.hasJournal ? .journal : .nowhere
        case .journal: .journal
        case .standardError: .standardError
        case .file(let path): .file(path)
        case .nowhere: .nowhere
        }
    }

    /// The level in the logging library's words.
    var level: Logger.Level { Logger.Level(rawValue: logLevel.rawValue) ?? .info }
}

extension DaemonConfiguration.Tenant {
    /// What tells whether it is still the same tenant after a reload.
    var identity: TenantPolicy.Identity { TenantPolicy.Identity(host: host, clientID: clientID) }
}

extension DaemonConfiguration.Socket {
    /// Where to bind it.
    var address: ListeningSocket.Address { ListeningSocket.Address(path: path, mode: mode, group: group) }
}
