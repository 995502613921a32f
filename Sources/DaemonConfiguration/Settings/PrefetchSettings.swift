/// The keys of a tenant's section `prefetch`.
enum PrefetchSettings {
    /// The values as they are read, before they are checked together.
    struct Values {
        var file: String?
        var every = Duration.zero
    }

    static let all: [Setting<Values>] = [
        .special(
            "file",
            form: "an absolute path",
            """
            A file of subjects, one a line. Empty lines and lines that begin with `#` are ignored. A subject has 1 to 1,024 \
            bytes, and the file has up to 100,000 subjects and 64 MiB. When the daemon starts, and after a reload that \
            changes this section, each of them that has no token gets one: in the order of the file, at the pace of `rate`, \
            behind all requests, prefetches and refreshes, and with half of `rate.burst` left to these. A file with a fault \
            is reported and not used.
            """
        ) { reader, item, values in values.file = reader.path(item) },
        .special(
            "every",
            form: "`0`, or a duration from 1 min to 24 h",
            """
            The time after which the file is read again and the users without a token get one. With `0`, which is the \
            default, it is read only once. The token of a user for whom no app asks is not refreshed: it expires, and the \
            next time mints another one.
            """
        ) { reader, item, values in
            if let every = reader.prefetchInterval(item) { values.every = every }
        },
    ]
}
