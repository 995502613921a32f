/// The reply to `metrics`.
struct MetricsReply: Decodable {
    /// The metrics in Prometheus's text format.
    let body: String
}
