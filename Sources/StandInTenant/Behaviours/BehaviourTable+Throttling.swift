extension BehaviourTable {
    /// Replies that ask for fewer calls.
    static let throttling: [Row] = [
        Row("throttled", "[-TEXT]", "429 with `retry-after: TEXT` (seconds, a day is 86400), or without one") {
            let text = try $0.remainder("a text", default: "")
            return text.isEmpty ? tooManyCalls : throttled(text)
        },
        Row("throttled-date", "-S", "429 with a date S seconds ahead") {
            tooManyCalls.with(\.retryAfter, .date(try $0.seconds()))
        },
        Row("throttled-malformed", "429 with a malformed `retry-after`", throttled("after the rain, perhaps")),
        Row("throttled-day", "429 with a day's wait", throttled("86400")),
        Row("unavailable", "[-S]", "503 with `retry-after: S`, or without one") {
            let text = try $0.remainder("a number of seconds", default: "")
            return .error(503).with(\.retryAfter, text.isEmpty ? nil : .text(text))
        },
        Row(
            name: "flap",
            parameters: "-N[-STATUS]",
            summary: "N calls get STATUS (503), those after them the usual reply",
            plays: flap
        ),
    ]

    private static func flap(_ text: String, _ reader: inout ParameterReader) throws -> [Script.Play] {
        let count = try reader.integer("a count", 1...1_000_000)
        let status = try reader.status(default: 503)
        let failing = Script.Play(text: "status-\(status)", behaviour: .error(status), count: count)
        return [failing, Script.Play(text: "ok", behaviour: usual)]
    }

    private static let tooManyCalls = Behaviour.error(
        429,
        "OAUTH-429",
        "Too many requests",
        "the tier's limit is reached"
    )

    /// The reply to a call past the rate limit, with a `retry-after`.
    static func throttled(_ text: String) -> Behaviour { tooManyCalls.with(\.retryAfter, .text(text)) }
}
