/// The reply to `release_hold`.
struct ReleaseReply: Decodable {
    /// The number of tenants whose hold has ended.
    let released: Int
}
