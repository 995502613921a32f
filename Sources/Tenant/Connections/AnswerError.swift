/// The reason why a call on a connection got no usable answer.
struct AnswerError: Error {
    enum Reason: Equatable {
        /// The answer is incomplete, or there is none.
        case incomplete(CallFault)
        /// The answer is larger than this number of bytes.
        case tooLarge(Int)
        /// The answer is compressed, and can't be decompressed.
        case notDecompressed
    }

    let reason: Reason
    /// True if not a byte of an answer has arrived: the tenant may never have seen the call.
    let isUnanswered: Bool
}
