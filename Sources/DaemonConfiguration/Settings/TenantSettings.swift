import TokenCache

/// The keys of a tenant.
enum TenantSettings {
    /// A tenant without host, client and credential, which the file has to name.
    static var defaults: DaemonConfiguration.Tenant {
        DaemonConfiguration.Tenant(
            policy: TenantPolicy(identity: TenantPolicy.Identity(host: "", clientID: "")),
            credential: .secret(.file(""))
        )
    }

    static let all: [Setting<DaemonConfiguration.Tenant>] = identity + calls + clients

    private static let identity: [Setting<DaemonConfiguration.Tenant>] =
        [
            .value(
                "host",
                \.policy.identity.host,
                form: "`https://host` or `https://host:port`, or `http` for a loopback address",
                "The tenant's URL, without a path.",
                stated: { _ in nil },
                read: { $0.host($1) }
            ).required,
            ClientSettings.id(
                \.policy.identity.clientID,
                "The id of the OAuth client, which is of the type web and may impersonate users."
            ),
        ] + ClientSettings.credential()

    private static let calls: [Setting<DaemonConfiguration.Tenant>] = [
        .value(
            "scope",
            \.scope,
            form: "one or more OAuth scopes with spaces between them",
            "The scopes that are requested if a request names none.",
            stated: { $0 },
            read: { $0.scopes($1) }
        ),
        .duration("timeout", \.timeout, 1...300, "The time for one call."),
        .section("rate", \.policy, "The pace of the calls. The tenant's own limit is shared by all its clients.", rate),
        .section(
            "api_rate",
            \.policy,
            """
            The pace of the calls of the users API, which `provision` and `revoke` with `everywhere` cause. The tenant \
            counts them apart from the calls for tokens.
            """,
            apiRate
        ),
        .integer("max_concurrent", \.policy.maxConcurrent, 1...1_000, "The most calls at the same time."),
        .special(
            "ca_file",
            form: "an absolute path",
            """
            Certificate authorities in PEM form that are trusted in addition to the system's. The file is read again at \
            each reload, and when the tenant's certificate is of an unknown authority.
            """
        ) { reader, item, tenant in
            tenant.caFile = reader.path(item)
            tenant.lines.caFile = item.line
        },
        .special(
            "proxy",
            form: """
                `http://host:port`, `environment`, or `{ url: http://host:port, user: NAME, password: { file: PATH } }`
                """,
            """
            The HTTP proxy for the tenant. Without it none is used, whatever the environment says. The daemon asks the \
            proxy for a tunnel (`CONNECT`), and TLS goes through the tunnel to the tenant, whose `host` must then be a \
            name. `environment` is the proxy that `https_proxy`, `HTTPS_PROXY`, `all_proxy` or `ALL_PROXY` names, unless \
            `no_proxy` or `NO_PROXY` contains the tenant's host or a domain above it, as with `curl`. The unit has to set \
            these variables. The password may also be a `{ credential: NAME }`, and is read again at each reload. A \
            changed proxy keeps the tenant's tokens.
            """
        ) { reader, item, tenant in reader.readProxy(item, &tenant) },
    ]

    private static let clients: [Setting<DaemonConfiguration.Tenant>] = [
        .special(
            "clients",
            form: "a mapping from names of your choice, like those of tenants",
            "Further clients of the tenant. An app may have their own tokens if its access rule lists them in `clients`.",
            keys: ClientSettings.all.map { $0.describe(ClientSettings.defaults) }
        ) { reader, item, tenant in reader.readClients(item, &tenant) },
        .special(
            "provision",
            form: "a mapping",
            "The rules of `provision`. Without it, no user is ever created or changed.",
            keys: ProvisionSettings.all.map { $0.describe(ProvisioningPolicy(client: "")) }
        ),
    ]

    private static let rate: [Setting<TenantPolicy>] = [
        .integer("per_minute", \.ratePerMinute, 1...10_000_000, "Calls a minute."),
        .integer("burst", \.burst, 1...10_000_000, "Calls that may be sent at once after a quiet time."),
    ]

    private static let apiRate: [Setting<TenantPolicy>] = [
        .integer("per_minute", \.apiRatePerMinute, 1...10_000_000, "Calls a minute."),
        .integer("burst", \.apiBurst, 1...10_000_000, "Calls that may be sent at once after a quiet time."),
    ]
}
