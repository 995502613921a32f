extension ExplainReply {
    /// The fleet's part in the next answer.
    package struct Fleet: Sendable, Equatable, Codable {
        /// The next step of a request that needs the fleet.
        package struct Step: OpenName {
            package let rawValue: String

            package init(rawValue: String) { self.rawValue = rawValue }

            /// The engine isn't asked, as this machine has the token or the engine is away.
            package static var none: Step { "none" }
            /// The engine is asked for the token first.
            package static var lookup: Step { "lookup" }
            /// Another machine mints the token, and this one waits for it.
            package static var yielding: Step { "waits_for_other" }
            /// Events were lost, so the token is compared with the engine's before it is served.
            package static var verification: Step { "verification" }
        }

        /// True if the engine answers for the key's tenant.
        package var isConnected: Bool
        package var step: Step
        /// The time in seconds until another machine's mint ends or is looked at again, or nil if none is waited for.
        package var seconds: Double?

        /// Creates the fleet's part.
        package init(isConnected: Bool, step: Step, seconds: Double? = nil) {
            self.isConnected = isConnected
            self.step = step
            self.seconds = seconds
        }

        private enum CodingKeys: String, CodingKey {
            case isConnected = "connected"
            case step = "next"
            case seconds = "in"
        }
    }
}
