package import OperatorReplies

extension ExplainReply.Failure {
    /// Creates the failure that an error reply tells of.
    package init(_ error: ErrorReply) {
        let answer = error.upstream.map { Upstream(status: $0.status, code: $0.code, title: $0.title) }
        self.init(
            code: error.code.rawValue,
            description: error.description,
            retryAfter: error.retryAfter,
            upstream: answer ?? error.cause.map { Upstream(status: nil, code: $0) }
        )
    }
}
