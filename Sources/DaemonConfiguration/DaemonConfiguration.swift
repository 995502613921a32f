// DaemonConfiguration: the configuration file, checked, as values.
//
// Why it exists: a daemon that starts with a misspelt key or a rate of -1 fails later and elsewhere. This module reads
// the whole file, says everything that is wrong with it at once, and promises that a value which exists is in its range.
// It opens no other file and looks nothing up: whether a credential or a group is there is found out by who needs it.

/// Everything that the daemon can be told.
package struct DaemonConfiguration: Sendable, Equatable {
    /// The sockets that the daemon binds itself, where systemd hands none over.
    package var sockets = Sockets()
    /// How many tokens, and how long what is remembered.
    package var cache = Cache()
    /// When tokens are refreshed.
    package var refresh = Refresh()
    /// Which tenant a request means that names none; nil only where there are several and none is named.
    package var defaultTenant: String?
    /// The tenants by name; never empty.
    package var tenants: [String: Tenant] = [:]
    /// Who may ask for what; nil: whoever can open the request socket, each tenant's own scopes.
    package var access: [AccessRule]?
    /// The shares of one uid.
    package var quotas = Quotas()
    /// Who may use the admin socket besides the daemon's own user.
    package var administrators = ["root"]
    /// Where the audit trail goes; nil: to the journal, if there is one.
    package var audit: AuditDestination?
    /// The line at which that stands, for whoever finds that it can't be written.
    package var auditLine: Int?
    /// Where metrics are to be had, as address and port; nil: nowhere.
    package var metricsListen: String?
    /// How much is logged.
    package var logLevel = LogLevel.info
    /// The sections of the file that this version reads and checks but does not act on yet.
    package var sectionsNotInForce: [String] = []

    /// The defaults, without a tenant.
    init() {}

    /// The two sockets.
    package struct Sockets: Sendable, Equatable {
        package var requests = Socket(path: "/run/tokencached/tokencached.sock", mode: 0o660)
        package var admin = Socket(path: "/run/tokencached-admin/admin.sock", mode: 0o600)
        /// Connections over both.
        package var maxConnections = 4_096
    }

    /// A socket to bind.
    package struct Socket: Sendable, Equatable {
        package var path: String
        /// The permissions, as in `chmod`.
        package var mode: UInt32
        /// A group's name or number; nil: the process's own.
        package var group: String?
        /// The line at which that stands, for whoever finds that there is none.
        package var groupLine: Int?
    }

    /// The cache's bounds.
    package struct Cache: Sendable, Equatable {
        package var maxEntries = 100_000
        package var idleTTL = Duration.seconds(1_800)
        package var negativeTTL = Duration.seconds(10)
        /// Whether the next daemon finds the tokens.
        package var keepAcrossRestarts = true
    }

    /// The refresh rules.
    package struct Refresh: Sendable, Equatable {
        package var ahead = 0.7
        package var jitter = 0.1
        package var lastChance = 0.9
        package var minTTL = Duration.seconds(60)
        package var defaultLifetime = Duration.seconds(300)
    }

    /// One tenant and the client by which it is asked.
    package struct Tenant: Sendable, Equatable {
        /// The origin: scheme, host and, where given, port.
        package var host: String
        package var clientID: String
        /// How the client proves itself.
        package var credential: Credential
        /// What is asked for where a request names no scope; one or more, with spaces between.
        package var scope = "user_default"
        /// Of one call.
        package var timeout = Duration.seconds(10)
        package var ratePerMinute = 80
        package var burst = 80
        package var maxConcurrent = 8
        /// A file of further certificate authorities.
        package var caFile: String?
        /// By what it is reached; nil: by itself.
        package var proxy: Proxy?
        /// The lines at which the files it names stand, for whoever finds that they can't be read.
        package var lines = Lines()

        /// Whether `host` is https to an address: behind a proxy its certificate can't be checked.
        package var isSecureAddress: Bool { Origin(host)?.isSecureAddress ?? false }
    }

    /// Where a tenant's files are named.
    package struct Lines: Sendable, Equatable {
        package var credential: Int?
        package var caFile: Int?
        package var proxy: Int?
        package var proxyPassword: Int?
    }

    /// The HTTP proxy by which a tenant is reached.
    package enum Proxy: Sendable, Equatable {
        /// The one that the process's environment names, if it names one.
        case environment
        /// One of one's own.
        case server(host: String, port: Int, ProxyUser?)
    }

    /// As whom the daemon goes through a proxy.
    package struct ProxyUser: Sendable, Equatable {
        package var name: String
        package var password: SecretSource

        /// Pairs them.
        package init(name: String, password: SecretSource) {
            self.name = name
            self.password = password
        }
    }

    /// How a client proves to the tenant that it is that client.
    package enum Credential: Sendable, Equatable {
        /// By a shared secret: `client_secret`.
        case secret(SecretSource)
        /// By a private key: `client_key`, and `key_id` where the tenant knows it by another name than its thumbprint.
        case key(SecretSource, id: String?)
    }

    /// Where a secret is read from; it is never in the configuration itself.
    package enum SecretSource: Sendable, Equatable {
        /// A credential of systemd's, by its name.
        case credential(String)
        /// A file.
        case file(String)
    }

    /// Who may ask for what.
    package struct AccessRule: Sendable, Equatable {
        /// Where it stands.
        package var line: Int?
        package var users: [String]?
        package var groups: [String]?
        package var units: [String]?
        package var tenants: [String]?
        package var scopes: [String]?
        package var subjects: [String]?
        package var userIDs: [String]?
        package var operations: [String]?
    }

    /// Where the audit trail goes.
    package enum AuditDestination: Sendable, Equatable {
        /// To systemd's journal, as records with fields.
        case journal
        /// To standard error, as lines of JSON.
        case standardError
        /// To a file, as lines of JSON.
        case file(String)
        /// Nowhere.
        case nowhere
    }

    /// The share of each that one uid may have while another wants it.
    package struct Quotas: Sendable, Equatable {
        package var connections = 0.5
        package var waiting = 0.5
        package var entries = 0.5
    }

    /// How much is logged.
    package enum LogLevel: String, Sendable, CaseIterable {
        case trace
        case debug
        case info
        case notice
        case warning
        case error
        case critical
    }
}
