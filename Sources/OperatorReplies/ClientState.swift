/// The daemon's judgement of its client at a tenant.
package struct ClientState: OpenName, Omissible {
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }

    /// Creates the state of a client of which the daemon says nothing.
    package init() { self = "unknown" }

    /// The tenant accepts the client.
    package static var trusted: ClientState { "trusted" }
    /// The tenant has denied several users in a row, so the client may be the reason.
    package static var doubtful: ClientState { "doubtful" }
    /// The tenant has denied several users in a row with 401, so the client may be denied.
    package static var suspected: ClientState { "suspected" }
    /// The tenant denies the client.
    package static var denied: ClientState { "refused" }
}
