/// SplitMix64, a small generator whose numbers depend on its seed only, in every version of Swift.
package struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    /// Creates the generator of a seed.
    package init(seed: UInt64) { state = seed }

    /// The next number.
    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to, but not including, a limit.
    package mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }

    /// True once in a number of times, on average.
    package mutating func once(in times: Int) -> Bool { below(times) == 0 }

    /// One of the elements, all with the same probability.
    package mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }

    /// A duration between two others.
    package mutating func duration(_ from: Duration, _ to: Duration) -> Duration {
        from + (to - from) * (Double(next() >> 11) * 0x1p-53)
    }
}
