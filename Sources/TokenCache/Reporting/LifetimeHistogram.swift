/// The distribution of the lifetime that tokens have left when they are handed out.
///
/// Its bounds are powers of two, so that a hit finds its bucket by counting leading zeros.
package struct LifetimeHistogram: Sendable {
    /// The bounds in seconds, from a quarter of a minute to most of a day.
    ///
    /// A token has at most a day left, and at least a second.
    package static let bounds = (4...16).map { 1 << $0 }
    /// The number of powers of two up to a day, and one for more.
    private static let size = 18

    /// The number of tokens for each exponent, with more than half of its power left and at most all of it.
    private var counts = InlineArray<18, Int>(repeating: 0)
    /// The sum of the lifetimes in seconds.
    package private(set) var sum = 0

    /// Records a token that is handed out with this many whole seconds left.
    mutating func record(_ seconds: Int) {
        counts[min(Self.size - 1, Int.bitWidth - max(seconds - 1, 0).leadingZeroBitCount)] += 1
        sum += seconds
    }

    /// The number of tokens.
    package var count: Int { counts.indices.reduce(0) { $0 + counts[$1] } }

    /// The number of tokens up to each of the ``bounds``.
    package var upToBounds: [Int] {
        Self.bounds.map { bound in (0...bound.trailingZeroBitCount).reduce(0) { $0 + counts[$1] } }
    }
}
