extension StandInTenant {
    /// A request that the stand-in received, in the order of arrival.
    package struct SeenRequest: Sendable {
        /// Its number, counting from one.
        package var number: Int
        /// The method.
        package var method: String
        /// The path, with its query if there was one.
        package var path: String
        /// Where it came in.
        package var origin: Origin
        /// The key that it names, where it could be read.
        package var key: MintKey?
        /// Whether an accepted secret stood anywhere in its body.
        package var carriedSecret = false
        /// What the stand-in did with it: a behaviour's text, or `violation`, `refused-client`, `rate-limited`, `api`.
        package var behaviour = ""
        /// The rules that it broke, one sentence each.
        package var violations: [String] = []
        /// When all of it had arrived.
        package var arrival: ContinuousClock.Instant
        /// When its reply was written or its connection ended.
        package var ended: ContinuousClock.Instant?
        /// The status of its reply; nothing where no reply was begun.
        package var status: Int?
    }

    /// One of the two servers that the stand-in runs.
    package enum Origin: String, Sendable {
        /// The tenant itself.
        case tenant
        /// The server on another port that redirects lead to; nobody should ever come there.
        case other
    }
}
