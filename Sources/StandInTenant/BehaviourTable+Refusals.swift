extension BehaviourTable {
    /// Replies by which the tenant refuses, each with a code of its own; there is no public list of the real ones.
    static let refusals: [BehaviourRow] = [
        BehaviourRow("unknown", "[-STATUS]", "unknown user, as STATUS (401; 400 and 404 are as likely)") {
            .refusal(try $0.status(default: 401), "OAUTH-10", "User not found", "no user matches the lookup")
        },
        BehaviourRow("bad-secret", "", "401: the client's secret is wrong") { _ in badClient },
        BehaviourRow("client-not-trusted", "", "403: the client isn't trusted") { _ in
            .refusal(403, "OAUTH-12", "Client not trusted", "the client must be trusted to impersonate")
        },
        BehaviourRow("grant-not-enabled", "", "400: the client may not impersonate") { _ in
            .refusal(400, "OAUTH-13", "Grant type not enabled", "the client may not use this grant type")
        },
        BehaviourRow("scope-not-allowed", "", "400: the client may not ask for the scope") { _ in
            .refusal(400, "OAUTH-15", "Scope not allowed", "the client may not ask for this scope")
        },
        BehaviourRow("user-disabled", "", "403: the user is disabled") { _ in
            .refusal(403, "OAUTH-14", "User disabled", "the user is not active")
        },
        BehaviourRow("too-many-tokens", "", "403: the user has too many tokens that live") { _ in
            .refusal(403, "OAUTH-16", "Too many tokens", "the user has too many live tokens")
        },
        BehaviourRow("wrong-host", "", "404: there is no tenant of that host name") { _ in
            .refusal(404, "OAUTH-17", "Tenant not found", "no tenant has this host name")
        },
        BehaviourRow("rfc6749", "[-ERROR]", "400 (invalid_client: 401) as RFC 6749 has it; ERROR: invalid_grant") {
            let error = try $0.remainder("an error's name", default: "invalid_grant")
            return .reply(error == "invalid_client" ? 401 : 400, .oauthError(error))
        },
        BehaviourRow("status", "-STATUS[-retry-TEXT]", "STATUS with the tenant's error, and `retry-after: TEXT`") {
            let status = try $0.status()
            let retryAfter = $0.word("retry") ? Behaviour.RetryAfter.text(try $0.remainder("a text")) : nil
            return .refusal(status, "OAUTH-\(status)", "Status \(status)").retry(after: retryAfter)
        },
        BehaviourRow("empty", "-STATUS", "STATUS and no body") {
            .reply(try $0.status(), .empty, contentType: nil)
        },
    ]

    /// What a wrong client id or secret gets.
    static let badClient = Behaviour.refusal(
        401,
        "OAUTH-11",
        "Client authentication failed",
        "unknown client or secret"
    )
}
