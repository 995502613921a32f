import Logging

/// The outermost keys of the file.
enum FileSettings {
    static let all: [Setting<DaemonConfiguration>] = [
        .section(
            "sockets",
            \.sockets,
            "The sockets that the daemon binds if systemd hands none over. A reload does not change them.",
            SocketSettings.all,
            check: SocketSettings.check
        ),
        .section("cache", \.self, "The cached tokens.", CacheSettings.cache),
        .section(
            "refresh",
            \.cachePolicy,
            "The times at which tokens are refreshed.",
            CacheSettings.refresh,
            check: CacheSettings.checkRefresh
        ),
        .special(
            "default_tenant",
            form: "the name of a tenant",
            "The tenant of a request that names none. It is required only with several tenants."
        ),
        .special(
            "tenants",
            form: "a mapping from names of your choice, 1 to 64 letters, digits, dots, hyphens or underscores",
            "The tenants. At least one is required, here or in `tenants_directory`.",
            keys: TenantSettings.all.map { $0.describe(TenantSettings.defaults) }
        ),
        .special(
            "tenants_directory",
            form: "an absolute path",
            """
            A directory with further tenants. Each file `NAME.yaml` has the keys that stand under `tenants.NAME`. Hidden \
            files and files with another suffix are ignored. With a tenant there, `tenants` may be missing. A reload adds, \
            changes and removes tenants, and leaves the others alone.
            """
        ),
        .special(
            "access",
            form: "a list of rules",
            """
            The local users who may request tokens, and which. The first rule that matches a peer decides alone. A peer \
            that matches no rule gets nothing. Without `access`, every peer that can open the request socket may request \
            tokens with each tenant's own `scope`.
            """,
            keys: AccessSettings.all.map { $0.describe(DaemonConfiguration.AccessRule()) }
        ),
        .special(
            "fleet",
            form: "a mapping",
            """
            The engine that the daemons of several machines share, so that one mint serves all of them. Without it, nothing \
            is shared.
            """,
            keys: FleetSettings.all.map { $0.describe(FleetSettings.defaults) }
        ) { reader, item, configuration in configuration.fleet = reader.readFleet(item) },
        .section(
            "quotas",
            \.self,
            "The share of one uid while another uid needs the room. A uid alone may use everything.",
            CacheSettings.quotas
        ),
        .section("admin", \.self, "The administrators.", administrators),
        .section("audit", \.self, "The audit trail.", audit),
        .special(
            "metrics",
            form: "a mapping",
            "The metrics and the health over HTTP.",
            keys: MetricsSettings.all.map { $0.describe(DaemonConfiguration()) }
        ) { reader, item, configuration in reader.readMetrics(item, &configuration) },
        .section("log", \.self, "The log.", log),
    ]

    private static let administrators: [Setting<DaemonConfiguration>] = [
        .value(
            "users",
            \.administrators,
            form: "a list of user names or numbers",
            "The users who may use the admin socket, in addition to root and the daemon's own user.",
            stated: { "[\($0.joined(separator: ", "))]" },
            read: { $0.texts($1, "user names or numbers") }
        )
    ]

    private static let audit: [Setting<DaemonConfiguration>] = [
        .special(
            "to",
            form: "`journal`, `stderr`, `none`, or the absolute path of a file",
            """
            The destination of a record of every mint, forbidden request, revocation and administrative action. Without \
            it, the journal, if there is one.
            """
        ) { reader, item, configuration in
            configuration.audit = reader.auditDestination(item)
            configuration.auditLine = item.line
        }
    ]

    private static let log: [Setting<DaemonConfiguration>] = [
        .value(
            "level",
            \.logLevel,
            form: Logger.Level.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", "),
            "The least level that is logged.",
            stated: { $0.rawValue },
            read: { $0.choice($1, of: Logger.Level.self) }
        ),
        .special(
            "format",
            form: DaemonConfiguration.LogFormat.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", "),
            default: DaemonConfiguration().logFormat.rawValue,
            """
            The format of the log. `journal`: entries with fields, for systemd's journal. `text`: lines for people, with \
            colours on a terminal. `logfmt`: lines of key=value. `json`: one JSON object a line. `auto`: `journal` if \
            standard error is the journal, `text` if it is a terminal, `logfmt` otherwise.
            """
        ) { reader, item, configuration in
            if let format = reader.choice(item, of: DaemonConfiguration.LogFormat.self) {
                configuration.logFormat = format
            }
            configuration.logFormatLine = item.line
        },
    ]
}
