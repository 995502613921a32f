/// The keys of the section `fleet`.
enum FleetSettings {
    private static let source = "`{ credential: NAME }` or `{ file: PATH }`"

    /// A fleet without engine and key, which the file has to name.
    static var defaults: DaemonConfiguration.Fleet {
        DaemonConfiguration.Fleet(engine: .unix(path: "", database: 0), key: .file(""))
    }

    static let all: [Setting<DaemonConfiguration.Fleet>] = engine + access + values

    private static let engine: [Setting<DaemonConfiguration.Fleet>] = [
        .special(
            "url",
            form: "`redis://host:port/0`, `rediss://host:port/0` or `unix:///path`",
            """
            The engine: Valkey 7.2 or later, or Redis 6.2 or later. `rediss` is TLS with a verified certificate. The port \
            is 6379 unless it is given, and the number of the database is 0. With a socket, `?db=1` names another \
            database.
            """
        ).required,
        .special(
            "cluster",
            form: "`true` or `false`",
            default: "false",
            "True if the engine is a cluster. `url` is any of its nodes, and the others are found."
        ),
        .special(
            "allow_plain",
            form: "`true` or `false`",
            default: "false",
            """
            True if `redis://` may lead to another machine, also as a node of a cluster. Without it, only loopback \
            addresses and `localhost` may be used without TLS. Tokens are sealed in any case, but the password of the \
            engine isn't.
            """
        ),
        .special(
            "ca_file",
            form: "an absolute path",
            """
            Certificate authorities in PEM form that are trusted in addition to the system's, for `rediss://`. The file is \
            read again at each reload.
            """
        ),
    ]

    private static let access: [Setting<DaemonConfiguration.Fleet>] = [
        .special(
            "username",
            form: "text",
            "The user of the engine. Without it, the engine's default user. It needs a `password`."
        ),
        .special(
            "password",
            form: source,
            "The password of the engine's user: a credential that the unit loads, or a file as for a `client_secret`."
        ),
        .special(
            "key",
            form: source,
            """
            The keys that seal what the engine stores: a credential that the unit loads, or a file as for a \
            `client_secret`. Each line is a key, which `tokencachectl fleet new-key` prints. The first one seals, and all \
            open. All machines need the same. Like the password, they are read again at each reload.
            """
        ).required,
    ]

    private static let values: [Setting<DaemonConfiguration.Fleet>] = [
        .value(
            "prefix",
            \.prefix,
            form: "1 to 64 letters, digits, dots, hyphens or underscores",
            "The beginning of all key names in the engine. Fleets that share an engine have different ones.",
            stated: { $0 },
            read: { $0.prefix($1) }
        ),
        .value(
            "timeout",
            \.timeout,
            form: "a duration from 10 ms to 5 s",
            "The time for one call to the engine. After it, the daemon goes on as without a fleet.",
            stated: { ConfigurationReader.text(of: $0) },
            read: { $0.shortDuration($1, 10...5_000) }
        ),
    ]
}
