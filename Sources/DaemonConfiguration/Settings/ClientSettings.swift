import TokenCache

/// The keys of a further client, and those that it shares with the client of a tenant.
enum ClientSettings {
    private static let source = "`{ credential: NAME }` or `{ file: PATH }`"

    /// A client without id and credential, which the file has to name.
    static var defaults: DaemonConfiguration.FurtherClient {
        DaemonConfiguration.FurtherClient(
            policy: ClientPolicy(clientID: "", scopes: nil),
            credential: .secret(.file(""))
        )
    }

    static let all: [Setting<DaemonConfiguration.FurtherClient>] =
        [id(\.policy.clientID, "The id of the OAuth client, which may use the grant `client_credentials`.")]
        + credential() + [scope]

    private static let scope: Setting<DaemonConfiguration.FurtherClient> = .value(
        "scope",
        \.policy.scopes,
        form: "one or more OAuth scopes with spaces between them",
        """
        The scopes that are requested if a request names none. Without it, the tenant gives all scopes that the client has.
        """,
        stated: { _ in nil },
        read: { $0.scopeSet($1) }
    )

    // MARK: Shared keys

    /// The id of a client.
    static func id<Root>(_ path: Setting<Root>.Path<String>, _ summary: String) -> Setting<Root> {
        .value(
            "client_id",
            path,
            form: "text",
            summary,
            stated: { _ in nil },
            read: { $0.text($1, "should be the OAuth client's id") }
        ).required
    }

    /// The keys of a client's credential, which the reader reads together.
    static func credential<Root>() -> [Setting<Root>] {
        [
            .special(
                "client_secret",
                form: source,
                """
                The client's secret: a credential that the unit loads, or a file that only root, the daemon and their groups \
                can read. It is read again at each reload, and when the tenant denies the client. One of `client_secret` \
                and `client_key` is required.
                """
            ),
            .special(
                "client_key",
                form: source,
                """
                The client's private key, in PEM form without a password, P-384 or RSA. The file may also contain comments, \
                a certificate or an `EC PARAMETERS` block. It is read again like the secret.
                """
            ),
            .special(
                "key_id",
                form: "text",
                "The name of `client_key` at the tenant. Without it, the key's thumbprint (RFC 7638)."
            ),
            .special(
                "key_algorithm",
                form: DaemonConfiguration.KeyAlgorithm.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", "),
                "The algorithm of the signatures with `client_key`. Without it, `ES384` for P-384 and `RS256` for RSA."
            ),
        ]
    }
}
