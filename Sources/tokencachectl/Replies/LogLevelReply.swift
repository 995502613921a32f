/// The reply to `log_level`.
struct LogLevelReply: Decodable {
    /// The level that is in force now.
    let level: String
    /// The time in seconds after which the configured level is in force again, or nil if it isn't limited.
    let seconds: Double?

    private enum CodingKeys: String, CodingKey {
        case level
        case seconds = "for"
    }
}
