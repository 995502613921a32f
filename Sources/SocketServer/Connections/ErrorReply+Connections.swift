import TokenProtocol

/// The errors by which a connection is rejected, closed, or relieved of a reply.
extension ErrorReply {
    static var tooManyConnections: ErrorReply {
        ErrorReply(.overloaded, "too many connections are open", retryAfter: 1)
    }

    /// For a connection that is closed for another uid's.
    static var neededByAnotherUser: ErrorReply {
        ErrorReply(.overloaded, "another user of this machine needs the connection", retryAfter: 1)
    }

    /// For a connection to the admin socket that is closed for a newer one.
    static var neededByNewerAdmin: ErrorReply {
        ErrorReply(
            .overloaded,
            "too many connections are open: a newer one to the admin socket needs it",
            retryAfter: 1
        )
    }

    /// In place of a reply that would exceed the limit of unread replies.
    static var unreadReplies: ErrorReply {
        ErrorReply(.overloaded, "too many replies have not been read", retryAfter: 1)
    }
}
