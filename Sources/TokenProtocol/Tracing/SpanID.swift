/// The identity of a span, one step in a distributed trace: 64 bits, not all of them zero.
package struct SpanID: Sendable, Hashable {
    private let bits: UInt64

    /// Creates an identity, or returns nil if all bits are zero.
    package init?(_ bits: UInt64) {
        guard bits != 0 else { return nil }
        self.bits = bits
    }

    /// Creates the identity of a new span from random bits.
    ///
    /// Zero, which identifies no span, becomes one.
    package init(random bits: UInt64) { self.bits = max(bits, 1) }
}

extension SpanID: CustomStringConvertible {
    /// The 16 hexadecimal digits, in lower case.
    package var description: String { bits.lowerHexadecimal }
}
