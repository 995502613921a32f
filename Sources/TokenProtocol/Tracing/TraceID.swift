/// The identity of a distributed trace: 128 bits, not all of them zero.
package struct TraceID: Sendable, Hashable {
    private let high: UInt64
    private let low: UInt64

    /// Creates an identity, or returns nil if all bits are zero.
    package init?(high: UInt64, low: UInt64) {
        guard high != 0 || low != 0 else { return nil }
        self.high = high
        self.low = low
    }
}

extension TraceID: CustomStringConvertible {
    /// The 32 hexadecimal digits, in lower case.
    package var description: String { high.lowerHexadecimal + low.lowerHexadecimal }
}
