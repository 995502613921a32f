/// What the daemon calls itself.
enum Version {
    /// By semantic versioning; `hello`, `stats` and the user agent say it.
    static let current = "0.1.0"
}
