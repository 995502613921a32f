import TokenCacheClient

/// A command that makes one request about a user's token, or a client's.
protocol KeyCommand: RequestCommand {
    /// The arguments and options that name the token.
    var key: KeyOptions { get }
}

extension KeyCommand {
    package var explanation: String? { key.explanation }

    package func advice(on error: TokenCacheError) -> String? { key.advice(on: error, by: socket) }
}
