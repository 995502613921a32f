/// A generator that always returns the same number.
struct ConstantGenerator: RandomNumberGenerator {
    private let value: UInt64

    /// Creates a generator.
    ///
    /// - Parameter jitterFraction: The number as a fraction, from 0 up to 1.
    init(_ jitterFraction: Double) { value = UInt64(jitterFraction * 0x1p63) * 2 }

    mutating func next() -> UInt64 { value }
}
