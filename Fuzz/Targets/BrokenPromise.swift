/// The error for an input that breaks a promise.
struct BrokenPromise: Error {
    let promise: String
}

/// Checks a promise.
///
/// libFuzzer saves the input that breaks it, and a replay names the input.
func check(_ isKept: Bool, _ promise: @autoclosure () -> String) throws(BrokenPromise) {
    guard isKept else { throw BrokenPromise(promise: promise()) }
}
