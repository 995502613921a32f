extension StandInTenant {
    /// A request that the stand-in received.
    package struct SeenRequest: Sendable, Encodable {
        /// The number, counted from one in the order of arrival.
        package var number: Int
        var method: String
        /// The path, with its query if there was one.
        var path: String
        /// The server that received it.
        package var origin: Origin
        /// True if the body contained an accepted secret, or `authorization` a token that was issued here.
        package var carriedSecret: Bool
        /// The key that it names, if it could be read.
        package var key: MintKey?
        /// The `traceparent`, if it came with one.
        package var traceparent: String?
        /// The behaviour's text, or `violation`, `refused-client`, `rate-limited`, `unauthorized`, `forbidden` or `home`.
        package var behaviour = ""
        /// The rules that it broke, one sentence each.
        var violations: [String] = []
        /// The status of the reply, once one was begun.
        package var status: Int?
    }

    /// One of the two servers that the stand-in runs.
    package enum Origin: String, Sendable, Encodable {
        case tenant
        case other  // The server to which redirects lead. No correct client connects to it.
    }
}
