/// A promise that an input has broken.
struct BrokenPromise: Error {
    let promise: String
}

/// Notes a promise; libFuzzer keeps the input that breaks it, and a replay names it.
func check(_ isKept: Bool, _ promise: @autoclosure () -> String) throws(BrokenPromise) {
    guard isKept else { throw BrokenPromise(promise: promise()) }
}

/// The part of an input that steers: one byte after another, then zeros.
struct Choices {
    private var bytes: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    /// The next byte.
    mutating func next() -> Int { Int(bytes.popFirst() ?? 0) }

    /// From 0 up to a limit.
    mutating func below(_ limit: Int) -> Int { limit > 0 ? next() % limit : 0 }
}
