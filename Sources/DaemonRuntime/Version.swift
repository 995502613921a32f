/// The daemon's version.
package enum Version {
    /// The semantic version that `hello`, `stats` and the user agent show.
    package static let current = "0.1.0"
}
