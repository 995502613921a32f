package import Audit
package import Logging
package import TokenCache

// DaemonConfiguration: the configuration file, checked, as values.
//
// Purpose: a daemon that starts with a misspelt key or a rate of -1 fails later and elsewhere. This module reads
// the whole file and the files of `tenants_directory`, reports everything that is wrong with them at once, and promises
// that each value is in its range. It looks nothing up. Its users check that a credential or a group exists.
//
// The defaults are those of the types that hold the settings: `CachePolicy`, `TenantPolicy` and this module's own.
// A test compares them with those that the example and the manual state.

/// All settings of the daemon.
package struct DaemonConfiguration: Sendable, Equatable {
    /// The sockets that the daemon binds itself if systemd hands none over.
    package var sockets = Sockets()
    /// The sections `cache` and `refresh`, and the quotas of tokens and of waiting requests.
    package var cachePolicy = CachePolicy()
    /// True if tokens outlive a restart or a crash of the daemon.
    package var keepsAcrossRestarts = true
    /// The share of the connections that one uid may have while all connections are taken.
    package var connectionShare = 0.5
    /// The tenant of requests that name none.
    ///
    /// It is nil only if there are several and none is the default.
    package var defaultTenant: String?
    /// The tenants by name, of which there is at least one.
    package var tenants: [String: Tenant] = [:]
    /// The access rules.
    ///
    /// Without them a peer that can open the request socket may ask for each tenant's own scopes.
    package var access: [AccessRule]?
    /// The engine that is shared with the daemons of other machines, or nil for none.
    package var fleet: Fleet?
    /// The users that may use the admin socket besides the daemon's own user.
    package var administrators = ["root"]
    /// The destination of the audit trail, or nil for the journal, if there is one.
    package var audit: AuditDestination?
    /// The line of that destination, for a fault that is found when it is opened.
    package var auditLine: Int?
    /// The address of the metrics by HTTP, or nil for none.
    package var metricsListen: MetricsAddress?
    /// The line of that address, for a fault that is found when it is bound.
    package var metricsLine: Int?
    /// The least level that is logged.
    package var logLevel = Logger.Level.info
    /// The format of the log.
    package var logFormat = LogFormat.automatic
    /// The line of that format, for a fault that is found when it is put into force.
    package var logFormatLine: Int?

    /// The defaults, without a tenant.
    init() {}
}
