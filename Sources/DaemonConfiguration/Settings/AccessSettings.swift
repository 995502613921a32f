/// The keys of an access rule.
enum AccessSettings {
    private static let operations = ["token", "prefetch", "invalidate", "revoke", "provision"]

    /// All keys, of which the reader checks the names of tenants and clients itself.
    static let all: [Setting<DaemonConfiguration.AccessRule>] = peers + permissions

    private static let peers: [Setting<DaemonConfiguration.AccessRule>] = [
        list(
            "users",
            \.users,
            "user names or numbers",
            """
            The rule matches a peer that is in any of the lists `users`, `groups` and `units`, by the kernel's information. \
            `"*"` in one of them means everyone.
            """
        ),
        list(
            "groups",
            \.groups,
            "group names or numbers",
            "The rule matches a peer whose own or supplementary group is here."
        ),
        list(
            "units",
            \.units,
            "systemd units with their suffix, such as myapp.service",
            "The rule matches a peer in one of these units, which are patterns. The service needs the drop-in `peer-units.conf` for it.",
            isValid: { $0 == "*" || $0.contains(".") && !$0.contains("/") }
        ),
    ]

    private static let permissions: [Setting<DaemonConfiguration.AccessRule>] = [
        .special(
            "tenants",
            form: "a list of names of configured tenants",
            "The tenants that the rule allows. Without it, all."
        ),
        list(
            "scopes",
            \.scopes,
            "OAuth scopes",
            "The scopes that the rule allows. Every scope of a request must be here. Without it, each tenant's own.",
            isValid: { $0.isScopeList && !$0.contains(" ") }
        ),
        list(
            "subjects",
            \.subjects,
            "patterns for subjects",
            "The subjects that the rule allows: `*` is any text, `?` is one character. Without it, none."
        ),
        list("user_ids", \.userIDs, "patterns for user ids", "The user ids that the rule allows. Without it, none."),
        .special(
            "clients",
            form: "a list of names of clients from the section `clients` of the rule's tenants",
            "The further clients whose own tokens the rule allows. Without it, none."
        ),
        list(
            "operations",
            \.operations,
            "operations: \(operations.joined(separator: ", "))",
            "The operations that the rule allows. Without it, all of these but `provision`.",
            read: { $0.texts($1, $2, isValid: operations.contains, suggestion: operations.suggestion) }
        ),
    ]

    private static func list(
        _ key: String,
        _ path: Setting<DaemonConfiguration.AccessRule>.Path<[String]?>,
        _ rule: String,
        _ summary: String,
        isValid: @escaping @Sendable (String) -> Bool = { _ in true }
    ) -> Setting<DaemonConfiguration.AccessRule> {
        list(key, path, rule, summary, read: { $0.texts($1, $2, isValid: isValid) })
    }

    private static func list(
        _ key: String,
        _ path: Setting<DaemonConfiguration.AccessRule>.Path<[String]?>,
        _ rule: String,
        _ summary: String,
        read: @escaping @Sendable (inout ConfigurationReader, Item, String) -> [String]?
    ) -> Setting<DaemonConfiguration.AccessRule> {
        .value(
            key,
            path,
            form: "a list of \(rule)",
            summary,
            stated: { _ in nil },
            read: { read(&$0, $1, rule) }
        )
    }
}
