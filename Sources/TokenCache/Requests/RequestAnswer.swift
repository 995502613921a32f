package import TokenProtocol

/// The answer to a request for a token.
package enum RequestAnswer: Equatable {
    /// Answer with this token.
    case serve(TokenReply)
    /// Answer with this token.
    ///
    /// A refresh was queued in the background.
    case serveAndRefresh(TokenReply)
    /// The answer comes later.
    case wait
    /// Answer with this error.
    case fail(ErrorReply)
}
