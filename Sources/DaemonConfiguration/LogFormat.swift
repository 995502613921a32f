extension DaemonConfiguration {
    /// The format of the log.
    package enum LogFormat: String, Sendable, CaseIterable {
        /// To the journal if standard error is the journal, text for a terminal, and logfmt otherwise.
        case automatic = "auto"
        /// Entries with fields, to the journal.
        case journal
        /// Text for people.
        case text
        /// Lines of `key=value`.
        case logfmt
        /// One JSON object a line.
        case json
    }
}
