extension BehaviourTable {
    private static let sixHours = 21_600

    /// Replies with a token that can be used, whatever they say of its expiry.
    static let success = usual + expiries

    private static let usual: [BehaviourRow] = [
        BehaviourRow("ok", "", "the tenant's usual reply: six hours, or the lifetime that is set") { _ in Behaviour() },
        BehaviourRow("bearer", "", "`token_type` is `Bearer`, and the token lives for 3600 s") { _ in
            .token { form in
                form.type = "Bearer"
                form.life = .seconds(3_600)
            }
        },
        BehaviourRow("narrowed", "[-SCOPE]", "the tenant grants less than was asked for: SCOPE (user_default)") {
            let scope = try $0.remainder("a scope", default: "user_default")
            return .token { form in form.scope = .other(scope) }
        },
        BehaviourRow("no-scope", "", "the reply names no scope") { _ in .token { form in form.scope = .absent } },
        BehaviourRow("refresh-token", "", "the reply has a refresh token too") { _ in
            .token { form in form.hasRefreshToken = true }
        },
        BehaviourRow("token-bytes", "-N", "a token of N bytes (600 to 1,000,000), or the next smaller length") {
            let bytes = try $0.integer("a length", 600...1_000_000)
            return .token { form in form.tokenBytes = bytes }
        },
        BehaviourRow("chunked", "", "the reply comes in chunks instead of with a length") { _ in
            Behaviour().delivered(.chunked)
        },
        BehaviourRow("revoke-fails", "[-STATUS]", "revoking this token later is answered with STATUS (503)") {
            let status = try $0.status(default: 503)
            return .token { form in form.revocationStatus = status }
        },
    ]

    private static let expiries: [BehaviourRow] = [
        BehaviourRow("expires", "-S", "the token lives for S seconds") {
            let seconds = try $0.integer("a number of seconds")
            return .token { form in form.life = .seconds(seconds) }
        },
        BehaviourRow("expires-in", "-LITERAL", "`expires_in` alone, as written: -1, 0, 1e15, 1e400, 1.5, null, …") {
            let literal = try $0.remainder("a JSON value")
            return .token { form in
                form.expiresIn = .literal(literal)
                form.expiresAt = .absent
            }
        },
        BehaviourRow("expires-text", "[-S]", "`expires_in` is text, and the token lives for S seconds (21,600)") {
            let seconds = try $0.integer("a number of seconds", default: sixHours)
            return .token { form in
                form.life = .seconds(seconds)
                form.expiresIn = .lifeAsText
            }
        },
        BehaviourRow("expires-at", "[-S]", "`expires_at` alone, S seconds ahead (21,600)") {
            let seconds = try $0.integer("a number of seconds", default: sixHours)
            return .token { form in
                form.life = .seconds(seconds)
                form.expiresIn = .absent
            }
        },
        BehaviourRow("expires-at-text", "-TEXT", "`expires_at` alone, as written") {
            let text = try $0.remainder("a text")
            return .token { form in
                form.expiresIn = .absent
                form.expiresAt = .text(text)
            }
        },
        BehaviourRow("epoch", "", "`expires_in` is right and `expires_at` lies in 1970") { _ in
            .token { form in form.expiresAt = .text("1970-01-01T00:00:00.000Z") }
        },
        BehaviourRow("no-expiry", "", "neither `expires_in` nor `expires_at`") { _ in
            .token { form in
                form.expiresIn = .absent
                form.expiresAt = .absent
            }
        },
        BehaviourRow("expired", "", "expired on arrival: both lie an hour back") { _ in
            .token { form in form.life = .seconds(-3_600) }
        },
        BehaviourRow("disagree", "-IN-AT", "`expires_in` says IN seconds, `expires_at` AT; the smaller is true") {
            let first = try $0.integer("a number of seconds")
            let second = try $0.integer("a number of seconds")
            return .token { form in
                form.life = .seconds(min(first, second))
                form.expiresIn = .seconds(first)
                form.expiresAt = .seconds(second)
            }
        },
        BehaviourRow("clock-off", "-S", "the tenant's clock is S seconds ahead, and `expires_at` comes alone") {
            var behaviour = Behaviour.token { form in form.expiresIn = .absent }
            behaviour.clockOffset = try $0.integer("a number of seconds")
            return behaviour
        },
        BehaviourRow("no-date", "[-S]", "`expires_at` alone, S seconds ahead (21,600), in a reply without `date`") {
            let seconds = try $0.integer("a number of seconds", default: sixHours)
            var behaviour = Behaviour.token { form in
                form.life = .seconds(seconds)
                form.expiresIn = .absent
            }
            behaviour.hasDate = false
            return behaviour
        },
    ]
}
