import TokenCache
import TokenProtocol

extension RequestAnswer {
    /// The token that is served, with or without a background refresh.
    var served: TokenReply? {
        switch self {
        case .serve(let reply), .serveAndRefresh(let reply): reply
        case .wait, .fail: nil
        }
    }

    /// The error of the answer.
    var error: ErrorReply? {
        if case .fail(let error) = self { error } else { nil }
    }

    /// True if a refresh was queued in the background.
    var refreshes: Bool {
        if case .serveAndRefresh = self { true } else { false }
    }
}

extension Reply {
    /// The error of the reply.
    var error: ErrorReply? {
        if case .error(let error) = self { error } else { nil }
    }

    /// The token of the reply.
    var token: TokenReply? {
        if case .token(let token) = self { token } else { nil }
    }
}
