/// The reply to `flush`.
struct FlushReply: Decodable {
    /// The number of tokens that were dropped.
    let flushed: Int
}
