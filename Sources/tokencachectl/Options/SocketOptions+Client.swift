import TokenCacheClient

extension SocketOptions {
    /// The longest reply that the tool reads, in bytes, well above a page of a thousand entries with the longest names.
    private static let longestReply = 16 * 1_024 * 1_024

    /// Lends a client of one of the daemon's sockets, which is closed afterwards.
    ///
    /// It doesn't wait for a daemon that restarts, because an operator wants to see that none is there.
    func withClient<Result>(
        of socket: SocketKind,
        _ body: (TokenCacheClient) async throws -> Result
    ) async throws -> Result {
        let client = TokenCacheClient(
            path: path(of: socket),
            restartGrace: .zero,
            longestReply: Self.longestReply
        )
        do {
            let result = try await body(client)
            await client.close()
            return result
        } catch {
            await client.close()
            throw error
        }
    }
}
