import OperatorReplies
import TokenCacheClient

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Asks the daemon by one of its sockets.
struct DaemonProbe: Sendable {
    /// Well above a reply with a thousand tenants.
    private static let longestReply = 16 * 1_024 * 1_024
    private static let limit = Duration.seconds(5)
    /// The series that counts lost records in the text of the metrics.
    private static let lostRecords = "tokencached_audit_records_lost_total"

    /// The path of the socket.
    let path: String

    func version() async -> Result<String, TokenCacheError> {
        await ask("hello", TokenCacheClient.Hello.self).map(\.version)
    }

    func health() async -> Result<HealthReply, TokenCacheError> { await ask("health", HealthReply.self) }

    func stats() async -> Result<StatsReply, TokenCacheError> { await ask("stats", StatsReply.self) }

    /// The number of audit records that were lost, or nil if the daemon doesn't say.
    func lostRecordCount() async -> Int? {
        struct Metrics: Decodable { var body: String }
        guard case .success(let metrics) = await ask("metrics", Metrics.self) else { return nil }
        let line = metrics.body.split(separator: "\n").first { $0.hasPrefix(Self.lostRecords + " ") }
        return line?.split(separator: " ").last.flatMap { Double($0) }.flatMap { Int(exactly: $0) }
    }

    /// Asks for a user's token, and returns what the reply says about it.
    func token(_ subject: String, tenant: String?) async -> Result<TokenFacts.Received, TokenCacheError> {
        var request = TokenCacheClient.Request("token", user: .subject(subject), tenant: tenant)
        request.timeout = .seconds(20)
        return await call(request, TokenCacheClient.Token.self).map { token in
            TokenFacts.Received(
                source: token.source.rawValue,
                expiresIn: Int(token.expiresIn.components.seconds),
                isStale: token.isStale
            )
        }
    }

    private func ask<Value: Decodable>(_ operation: String, _ type: Value.Type) async -> Result<Value, TokenCacheError>
    {
        var request = TokenCacheClient.Request(operation)
        request.timeout = Self.limit
        return await call(request, type)
    }

    private func call<Value: Decodable>(
        _ request: TokenCacheClient.Request,
        _ type: Value.Type
    ) async -> Result<Value, TokenCacheError> {
        let client = TokenCacheClient(path: path, restartGrace: .zero, longestReply: Self.longestReply)
        let result: Result<Value, TokenCacheError>
        do {
            let line = try await client.call(request)
            // The decoder's own error could show a token.
            let value = try? JSONDecoder().decode(type, from: line)
            result = value.map { .success($0) } ?? .failure(TokenCacheError(.badReply, "its reply is malformed"))
        } catch {
            result = .failure(error as? TokenCacheError ?? TokenCacheError(.timeout, "the request was cancelled"))
        }
        await client.close()
        return result
    }
}
