extension StandInTenant {
    /// The fate of a connection when another request than its first comes on it.
    package enum UsedConnections: Sendable {
        /// It is answered.
        case kept
        /// The connection is reset, and the request counts for nothing: as after something between has forgotten it.
        case reset
    }
}
