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
        policy.lastChance = refresh.lastChance
        policy.minTTL = refresh.minTTL
        policy.defaultLifetime = refresh.defaultLifetime
        policy.entriesShare = quotas.entries
        policy.waitingShare = quotas.waiting
        return policy
    }

    /// How each tenant may be called.
    var tenantPolicies: [String: TenantPolicy] {
        tenants.mapValues { tenant in
            TenantPolicy(
                identity: .init(host: tenant.host, clientID: tenant.clientID),
                ratePerMinute: tenant.ratePerMinute,
                burst: tenant.burst,
                maxConcurrent: tenant.maxConcurrent
            )
        }
    }

    /// Which tenants may be asked for which scopes.
    var directory: TenantDirectory {
        TenantDirectory(scopes: tenants.compactMapValues { ScopeSet($0.scope) }, defaultTenant: defaultTenant)
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

extension DaemonConfiguration.Socket {
    /// Where to bind it.
    var place: ListeningSocket.Place { ListeningSocket.Place(path: path, mode: mode, group: group) }
}
