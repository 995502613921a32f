import TokenProtocol

@testable import TokenCache

/// An error that the model expects.
struct ModelError {
    var code: ErrorReply.Code
    /// The time until a retry makes sense, or nil if it is not known.
    var wait: Duration?
}
