extension BehaviourTable {
    /// Replies that make no sense, and connections that fail.
    static let faults = connections + contents + replies

    private static let replies: [BehaviourRow] = [
        BehaviourRow("redirect", "-STATUS-same|other", "STATUS (307, 302, …) to another path, or to another server") {
            var behaviour = Behaviour.reply(try $0.integer("a status", 300...399), .empty, contentType: nil)
            behaviour.redirect = try $0.choice(Behaviour.Redirect.self)
            return behaviour
        },
        BehaviourRow("html", "-STATUS", "STATUS with a page, as a proxy shows it") {
            .reply(try $0.status(), .html, contentType: "text/html; charset=utf-8")
        },
        BehaviourRow("text-plain", "", "a right reply, but its content type is text/plain") { _ in
            .reply(200, .token(TokenForm()), contentType: "text/plain")
        },
        BehaviourRow("no-content-type", "", "a right reply without a content type") { _ in
            .reply(200, .token(TokenForm()), contentType: nil)
        },
    ]

    private static let connections: [BehaviourRow] = [
        row(ending: .reset), row(ending: .close),
        BehaviourRow("refused", "[-MS]", "this connection is reset, and for MS (1000) every other is refused") {
            Behaviour().delivered(.refuse(try $0.milliseconds(default: 1_000)))
        },
        BehaviourRow("slow-head", "[-MS]", "the status line, a pause of MS (3000), then the rest") {
            Behaviour().delivered(.slowHead(try $0.milliseconds(default: 3_000)))
        },
        BehaviourRow("drip", "[-MS]", "the head, then the body one byte every MS (1000)") {
            Behaviour().delivered(.drip(try $0.milliseconds(default: 1_000)))
        },
        BehaviourRow("never", "", "no byte ever; the connection stays open") { _ in Behaviour().delivered(.never) },
        BehaviourRow("never-after-head", "", "the head, and then no byte ever") { _ in
            Behaviour().delivered(.neverAfterHead)
        },
        BehaviourRow("flood", "[-MIB]", "a token of MIB (100) MiB, with its length declared") {
            .reply(200, .flood(mebibytes: try $0.integer("a size in MiB", 1...100_000, default: 100), declared: true))
        },
        BehaviourRow("flood-chunked", "[-MIB]", "the same in chunks") {
            .reply(200, .flood(mebibytes: try $0.integer("a size in MiB", 1...100_000, default: 100), declared: false))
        },
    ]

    private static func row(ending: Behaviour.Ending) -> BehaviourRow {
        let form = "-" + Behaviour.Cut.allCases.map(\.rawValue).joined(separator: "|")
        let end = ending == .reset ? "reset" : "closed"
        return BehaviourRow(ending.rawValue, form, "the connection is \(end) there") {
            Behaviour().delivered(.cut(try $0.choice(Behaviour.Cut.self), ending))
        }
    }

    private static let contents: [BehaviourRow] = [
        damage("truncated", "the second half of the JSON is missing", .truncated),
        damage("bom", "a byte-order mark stands before the JSON", .byteOrderMark),
        damage("invalid-utf8", "a string in the JSON is not UTF-8", .invalidUTF8),
        damage("duplicate", "`access_token` comes twice, with different values", .duplicateMember),
        BehaviourRow("nested", "[-N]", "a further member holds N (100,000) arrays in one another") {
            let depth = try $0.integer("a depth", 1...10_000_000, default: 100_000)
            return .token { form in form.damage = .nestedArrays(depth) }
        },
        suffix("token-crlf", "the token has CR LF in it, and a header field after them", "\r\nx-injected: yes"),
        suffix("token-nul", "the token has a NUL in it", "\u{0}x"),
        text("no-token", "`{}`", "{}"),
        text("empty-token", "the token is empty", #"{"access_token":"","token_type":"bearer","expires_in":21600}"#),
        text("null-token", "the token is null", #"{"access_token":null,"token_type":"bearer","expires_in":21600}"#),
        text("number-token", "the token is a number", #"{"access_token":7,"token_type":"bearer","expires_in":21600}"#),
        text("array", "the reply is an array", "[]"),
    ]

    private static func damage(_ name: String, _ summary: String, _ damage: TokenForm.Damage) -> BehaviourRow {
        BehaviourRow(name, "", summary) { _ in .token { form in form.damage = damage } }
    }

    private static func suffix(_ name: String, _ summary: String, _ suffix: String) -> BehaviourRow {
        BehaviourRow(name, "", summary) { _ in .token { form in form.tokenSuffix = suffix } }
    }

    private static func text(_ name: String, _ summary: String, _ text: String) -> BehaviourRow {
        BehaviourRow(name, "", summary) { _ in .reply(200, .text(text)) }
    }
}
