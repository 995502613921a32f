/// The part of an input that chooses what happens: one byte after another, then zeros.
struct Choices {
    private var bytes: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    /// The next byte.
    mutating func next() -> Int { Int(bytes.popFirst() ?? 0) }

    /// From 0 up to a limit.
    mutating func below(_ limit: Int) -> Int { limit > 0 ? next() % limit : 0 }
}
