/// A time in the form in which tokens have theirs.
///
/// It is made once for the hits of one turn, as the conversion of an ``Instant`` takes longer than a look-up's compares.
package struct CacheTime: Sendable {
    /// The nanoseconds since the machine's boot.
    let nanoseconds: Int64
}
