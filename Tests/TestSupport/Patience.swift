/// How long tests wait for what has to come: for whatever a machine may be busy with beside them.
///
/// No test's outcome may depend on it, but for a test that would fail otherwise: it ends then, and says so.
package enum Patience {
    /// In seconds.
    package static let seconds = 120
    /// The same.
    package static let duration = Duration.seconds(seconds)
}
