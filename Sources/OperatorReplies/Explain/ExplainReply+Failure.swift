extension ExplainReply {
    /// A failure to mint a token, with the members of an error reply.
    package struct Failure: Sendable, Equatable, Codable {
        /// The tenant's own words.
        package struct Upstream: Sendable, Equatable, Codable {
            /// The HTTP status, or nil if there was no answer.
            package var status: Int?
            /// The tenant's own code, or the daemon's code for the reason why there was no answer.
            package var code: String?
            package var title: String?

            package init(status: Int?, code: String?, title: String? = nil) {
                self.status = status
                self.code = code
                self.title = title
            }
        }

        /// The code that programs act on.
        package var code: String
        /// A sentence for people.
        package var description: String?
        /// The time in whole seconds after which to ask again.
        package var retryAfter: Int?
        package var upstream: Upstream?

        package init(code: String, description: String, retryAfter: Int?, upstream: Upstream?) {
            self.code = code
            self.description = description
            self.retryAfter = retryAfter
            self.upstream = upstream
        }

        private enum CodingKeys: String, CodingKey {
            case code = "error"
            case description = "error_description"
            case retryAfter = "retry_after"
            case upstream
        }
    }
}
