extension BehaviourTable {
    /// Replies by which the tenant asks for fewer calls.
    static let throttling: [BehaviourRow] = [
        BehaviourRow("throttled", "[-TEXT]", "429 with `retry-after: TEXT` (seconds, a day is 86400), or without one") {
            let text = try $0.remainder("a text", default: "")
            return tooManyCalls.retry(after: text.isEmpty ? nil : .text(text))
        },
        BehaviourRow("throttled-date", "-S", "429 with a date S seconds ahead") {
            tooManyCalls.retry(after: .date(try $0.integer("a number of seconds")))
        },
        BehaviourRow("throttled-rubbish", "", "429 with a `retry-after` that means nothing") { _ in
            tooManyCalls.retry(after: .text("after the rain, perhaps"))
        },
        BehaviourRow("throttled-day", "", "429 with a day's wait") { _ in tooManyCalls.retry(after: .text("86400")) },
        BehaviourRow("unavailable", "[-S]", "503 with `retry-after: S`, or without one") {
            let text = try $0.remainder("a number of seconds", default: "")
            return unavailable(503).retry(after: text.isEmpty ? nil : .text(text))
        },
        BehaviourRow(
            "flap",
            "-N[-STATUS]",
            "N calls get STATUS (503), those after them the usual reply",
            plays: { _, reader in try flap(&reader) }
        ),
    ]

    private static func flap(_ reader: inout ParameterReader) throws -> [Script.Play] {
        let count = try reader.integer("a count", 1...1_000_000)
        let status = try reader.status(default: 503)
        var failing = Script.Play(text: "status-\(status)", behaviour: unavailable(status))
        failing.count = count
        return [failing, Script.Play(text: "ok", behaviour: Behaviour())]
    }

    /// What a call past the rate limit gets, but for its `retry-after`.
    static let tooManyCalls = Behaviour.refusal(429, "OAUTH-429", "Too many requests", "the tier's limit is reached")

    private static func unavailable(_ status: Int) -> Behaviour {
        .refusal(status, "OAUTH-\(status)", "Status \(status)")
    }
}
