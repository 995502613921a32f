extension BehaviourTable {
    /// Replies that break HTTP's or the contract's rules.
    static let replies: [Row] = [
        Row("redirect", "-STATUS-same|other", "STATUS (307, 302, …) to another path, or to another server") {
            let status = try $0.integer("a status", 300...399)
            return Behaviour(status, .empty, contentType: nil).with(\.redirect, try $0.choice(Behaviour.Redirect.self))
        },
        Row("html", "-STATUS", "STATUS with a proxy's error page") {
            Behaviour(try $0.status(), .html, contentType: "text/html; charset=utf-8")
        },
        Row("text-plain", "a right reply, but its content type is text/plain", usual.with(\.contentType, "text/plain")),
        Row("no-content-type", "a right reply without a content type", usual.with(\.contentType, nil)),
    ]

    /// Connections that fail.
    static let connections: [Row] = [
        row(ending: .reset), row(ending: .close),
        Row("refused", "[-MS]", "this connection is reset, and for MS (1000) every other is refused") {
            usual.with(\.delivery, .refuse(try $0.milliseconds(default: 1_000)))
        },
        Row("slow-head", "[-MS]", "the status line, a pause of MS (3000), then the rest") {
            usual.with(\.delivery, .slowHead(try $0.milliseconds(default: 3_000)))
        },
        Row("drip", "[-MS]", "the head, then the body one byte every MS (1000)") {
            usual.with(\.delivery, .drip(try $0.milliseconds(default: 1_000)))
        },
        Row("never", "no byte ever; the connection stays open", usual.with(\.delivery, .never)),
        Row("never-after-head", "the head, and then no byte ever", usual.with(\.delivery, .neverAfterHead)),
        Row("flood", "[-MIB]", "a token of MIB (100) MiB, with its length declared") {
            Behaviour(200, .flood(mebibytes: try $0.mebibytes(default: 100), declared: true))
        },
        Row("flood-chunked", "[-MIB]", "the same in chunks") {
            Behaviour(200, .flood(mebibytes: try $0.mebibytes(default: 100), declared: false))
        },
    ]

    private static func row(ending: Behaviour.Ending) -> Row {
        let parameters = "-" + Behaviour.Cut.allCases.map(\.rawValue).joined(separator: "|")
        let end = ending == .reset ? "reset" : "closed"
        return Row(ending.rawValue, parameters, "the connection is \(end) there") {
            usual.with(\.delivery, .cut(try $0.choice(Behaviour.Cut.self), ending))
        }
    }

    /// Bodies that are malformed.
    static let contents: [Row] = [
        Row("truncated", "the second half of the JSON is missing", usual.with(\.form.damage, .truncated)),
        Row("bom", "a byte-order mark precedes the JSON", usual.with(\.form.damage, .byteOrderMark)),
        Row("invalid-utf8", "a string in the JSON is not UTF-8", usual.with(\.form.damage, .invalidUTF8)),
        Row("duplicate", "`access_token` occurs twice", usual.with(\.form.damage, .duplicateMember)),
        Row("nested", "[-N]", "a further member holds N (100,000) nested arrays") {
            usual.with(\.form.damage, .nestedArrays(try $0.integer("a depth", 1...10_000_000, default: 100_000)))
        },
        Row("token-crlf", "CR LF within the token", usual.with(\.form.tokenSuffix, "\r\nx-injected: yes")),
        Row("token-nul", "the token contains a NUL", usual.with(\.form.tokenSuffix, "\u{0}x")),
        text("no-token", "`{}`", "{}"),
        text("empty-token", "the token is empty", #"{"access_token":"","token_type":"bearer","expires_in":21600}"#),
        text("null-token", "the token is null", #"{"access_token":null,"token_type":"bearer","expires_in":21600}"#),
        text("number-token", "the token is a number", #"{"access_token":7,"token_type":"bearer","expires_in":21600}"#),
        text("array", "the reply is an array", "[]"),
    ]

    private static func text(_ name: String, _ summary: String, _ text: String) -> Row {
        Row(name, summary, Behaviour(200, .text(text)))
    }
}
