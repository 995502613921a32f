/// The kinds of values that several keys share.
extension Setting {
    /// A whole number in a range.
    static func integer(
        _ key: String,
        _ path: Path<Int>,
        _ range: ClosedRange<Int>,
        _ summary: String
    ) -> Setting {
        .value(
            key,
            path,
            form: "a whole number from \(range.lowerBound) to \(range.upperBound)",
            summary,
            stated: { String($0) },
            read: { $0.integer($1, range) }
        )
    }

    /// A number in a range.
    static func number(
        _ key: String,
        _ path: Path<Double>,
        _ range: ClosedRange<Double>,
        _ summary: String
    ) -> Setting {
        .value(
            key,
            path,
            form: "a number from \(range.lowerBound.brief) to \(range.upperBound.brief)",
            summary,
            stated: { $0.brief },
            read: { $0.number($1, range) }
        )
    }

    /// A share of something, which is never none of it.
    static func share(_ key: String, _ path: Path<Double>, _ summary: String) -> Setting {
        let form = "a number over 0 and up to 1"
        return .value(
            key,
            path,
            form: form,
            summary,
            stated: { $0.brief },
            read: { $0.number($1, Double.leastNonzeroMagnitude...1, "should be \(form)") }
        )
    }

    /// A duration in a range of seconds.
    static func duration(
        _ key: String,
        _ path: Path<Duration>,
        _ range: ClosedRange<Int>,
        _ summary: String
    ) -> Setting {
        .value(
            key,
            path,
            form: "a duration from \(ConfigurationReader.bounds(range))",
            summary,
            stated: { ConfigurationReader.text(of: $0) },
            read: { $0.duration($1, range) }
        )
    }

    /// True or false.
    static func flag(_ key: String, _ path: Path<Bool>, _ summary: String) -> Setting {
        .value(key, path, form: "`true` or `false`", summary, stated: { String($0) }, read: { $0.flag($1) })
    }
}
