/// The circumstances of a call that failed, from which an error's advice follows.
package struct ErrorContext: Equatable {
    /// The command's name.
    package let command: String
    /// The socket that was used.
    package let socket: SocketKind
    /// The socket's path.
    package let path: String
    /// The users that the socket's file lets connect, or nil if that isn't known.
    package let access: SocketAccess?
    /// The command that explains the next answer for the token that the call was about, or nil if it was about none.
    package let explanation: String?
    /// The command's own advice on the error, or nil if it has none.
    package let advice: String?

    /// Describes a call.
    package init(
        command: String,
        socket: SocketKind,
        path: String,
        access: SocketAccess? = nil,
        explanation: String? = nil,
        advice: String? = nil
    ) {
        self.command = command
        self.socket = socket
        self.path = path
        self.access = access
        self.explanation = explanation
        self.advice = advice
    }
}
