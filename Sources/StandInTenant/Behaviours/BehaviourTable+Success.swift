extension BehaviourTable {
    private static let sixHours = 21_600
    static let usual = Behaviour()
    private static let onlyExpiresAt = usual.with(\.form.expiresIn, .absent)

    /// Replies with a token and a usual expiry.
    static let success: [Row] = [
        Row("ok", "the tenant's usual reply: six hours, or the lifetime that is set", usual),
        Row("bearer", "`Bearer`, and 3600 s", usual.with(\.form.type, "Bearer").with(\.form.lifetime, 3_600)),
        Row("narrowed", "[-SCOPE]", "the tenant grants less than was requested: SCOPE (user_default)") {
            usual.with(\.form.scope, .other(try $0.remainder("a scope", default: "user_default")))
        },
        Row("no-scope", "the reply names no scope", usual.with(\.form.scope, .absent)),
        Row("refresh-token", "the reply has a refresh token, too", usual.with(\.form.hasRefreshToken, true)),
        Row("token-bytes", "-N", "a token of N bytes (600 to 1,000,000), or the next smaller length") {
            usual.with(\.form.tokenBytes, try $0.integer("a length", 600...1_000_000))
        },
        Row("chunked", "the reply is sent in chunks instead of with a length", usual.with(\.delivery, .chunked)),
        Row("revoke-fails", "[-STATUS]", "a later revocation of this token is answered with STATUS (503)") {
            usual.with(\.form.revocationStatus, try $0.status(default: 503))
        },
    ]

    /// Replies with a token and an unusual expiry.
    static let expiries: [Row] = [
        Row("expires", "-S", "the token lives for S seconds") { usual.with(\.form.lifetime, try $0.seconds()) },
        Row("expires-in", "-LITERAL", "only `expires_in`, as written: -1, 0, 1e15, 1e400, 1.5, null, …") {
            let literal = try $0.remainder("a JSON value")
            return usual.with(\.form.expiresIn, .literal(literal)).with(\.form.expiresAt, .absent)
        },
        Row("expires-text", "[-S]", "`expires_in` is text, and the token lives for S seconds (21,600)") {
            let seconds = try $0.seconds(default: sixHours)
            return usual.with(\.form.lifetime, seconds).with(\.form.expiresIn, .lifetimeAsText)
        },
        Row("expires-at", "[-S]", "only `expires_at`, S seconds ahead (21,600)") {
            onlyExpiresAt.with(\.form.lifetime, try $0.seconds(default: sixHours))
        },
        Row("expires-at-text", "-TEXT", "only `expires_at`, as written") {
            onlyExpiresAt.with(\.form.expiresAt, .text(try $0.remainder("a text")))
        },
        Row("epoch", "`expires_at` lies in 1970", usual.with(\.form.expiresAt, .text("1970-01-01T00:00:00.000Z"))),
        Row("no-expiry", "neither `expires_in` nor `expires_at`", onlyExpiresAt.with(\.form.expiresAt, .absent)),
        Row("expired", "expired on arrival, an hour ago", usual.with(\.form.lifetime, -3_600)),
        Row("disagree", "-IN-AT", "`expires_in` says IN seconds, `expires_at` AT; the smaller is true") {
            let (first, second) = (try $0.seconds(), try $0.seconds())
            return usual.with(\.form.lifetime, min(first, second))
                .with(\.form.expiresIn, .literal(String(first))).with(\.form.expiresAt, .seconds(second))
        },
        Row("clock-off", "-S", "the tenant's clock is S seconds ahead, and the reply has only `expires_at`") {
            onlyExpiresAt.with(\.clockOffset, try $0.seconds())
        },
        Row("no-date", "[-S]", "only `expires_at`, S seconds ahead (21,600), in a reply without `date`") {
            onlyExpiresAt.with(\.form.lifetime, try $0.seconds(default: sixHours)).with(\.hasDate, false)
        },
    ]
}
