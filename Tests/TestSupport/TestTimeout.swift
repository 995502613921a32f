/// The time that tests wait for something to happen, however busy the machine is.
///
/// No test's outcome may depend on it, except for a test that would fail otherwise: it ends then, and says so.
package enum TestTimeout {
    /// In seconds.
    package static let seconds = 120
    /// As a duration.
    package static let duration = Duration.seconds(seconds)
}
