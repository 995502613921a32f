extension BehaviourTable {
    /// Denials, each with a code of its own.
    ///
    /// There is no public list of the real codes.
    static let denials: [Row] = [
        Row("unknown", "[-STATUS]", "unknown user, as STATUS (401; 400 and 404 are as likely)") {
            unknownUser(try $0.status(default: 401))
        },
        Row("bad-secret", "401: the client's secret is wrong", badClient),
        denial("client-not-trusted", 403, 12, "Client not trusted", "the client must be trusted to impersonate"),
        Row("grant-not-enabled", "400: the client may not use this grant type", grantNotEnabled),
        Row("scope-not-allowed", "400: the client may not ask for this scope", scopeNotAllowed),
        Row("user-disabled", "403: the user is not active", userDisabled),
        denial("too-many-tokens", 403, 16, "Too many tokens", "the user has too many live tokens"),
        denial("wrong-host", 404, 17, "Tenant not found", "no tenant has this host name"),
        Row("rfc6749", "[-ERROR]", "400 (invalid_client: 401) as RFC 6749 has it; ERROR: invalid_grant") {
            let error = try $0.remainder("an error's name", default: "invalid_grant")
            return Behaviour(error == "invalid_client" ? 401 : 400, .oauthError(error))
        },
        Row("status", "-STATUS[-retry-TEXT]", "STATUS with the tenant's error, and `retry-after: TEXT`") {
            let status = try $0.status()
            return .error(status).with(\.retryAfter, $0.word("retry") ? .text(try $0.remainder("a text")) : nil)
        },
        Row("empty", "-STATUS", "STATUS and no body") { Behaviour(try $0.status(), .empty, contentType: nil) },
    ]

    /// The reply to a wrong client id or secret.
    static let badClient = Behaviour.error(401, "OAUTH-11", "Client authentication failed", "unknown client or secret")

    static let grantNotEnabled = Behaviour.error(
        400,
        "OAUTH-13",
        "Grant type not enabled",
        "the client may not use this grant type"
    )

    static let scopeNotAllowed = Behaviour.error(
        400,
        "OAUTH-15",
        "Scope not allowed",
        "the client may not ask for this scope"
    )

    static let userDisabled = Behaviour.error(403, "OAUTH-14", "User disabled", "the user is not active")

    /// The reply for a user who doesn't exist.
    static func unknownUser(_ status: Int) -> Behaviour {
        .error(status, "OAUTH-10", "User not found", "no user matches the lookup")
    }

    private static func denial(_ name: String, _ status: Int, _ code: Int, _ title: String, _ detail: String) -> Row {
        Row(name, "\(status): \(detail)", .error(status, "OAUTH-\(code)", title, detail))
    }
}
