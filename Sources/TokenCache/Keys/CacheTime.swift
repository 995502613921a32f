import TokenStorage

/// A time in the form in which tokens have theirs.
///
/// It is made once for the hits of one turn, as the conversion of an ``Instant`` takes longer than a hit's comparisons.
package struct CacheTime: Sendable {
    /// The nanoseconds since the machine's boot.
    let nanoseconds: Int64

    /// Converts an instant.
    init(_ instant: Instant, by clock: BootClock) { nanoseconds = clock.nanoseconds(of: instant) }
}
