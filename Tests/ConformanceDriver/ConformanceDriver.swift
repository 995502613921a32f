import Foundation
import TokenCacheClient

// Makes calls of the Swift client for the conformance suite's player, which is written in Python: commands come as lines of
// JSON on standard input, and what becomes of each call goes to standard output.

/// What the player wants.
struct Command: Decodable {
    let call: Int?
    let operation: String?
    let arguments: Arguments?
    let cancel: Int?
    let close: Bool?
}

/// A call's arguments, by their names in the protocol.
struct Arguments: Decodable {
    let subject: String?
    let userID: String?
    let tenant: String?
    let scope: String?
    let minTTL: Double?
    let timeout: Double?
    let noCache: Bool?
    let subjects: [String]?
    let userIDs: [String]?
    let accessToken: String?
    let tokenSHA256: String?

    private enum CodingKeys: String, CodingKey {
        case subject
        case userID = "user_id"
        case tenant
        case scope
        case minTTL = "min_ttl"
        case timeout
        case noCache = "no_cache"
        case subjects
        case userIDs = "user_ids"
        case accessToken = "access_token"
        case tokenSHA256 = "token_sha256"
    }

    var user: User? { subject.map(User.subject) ?? userID.map(User.userID) }
}

@main
enum ConformanceDriver {
    static func main() async throws {
        // The socket's path, and the grace for a restart in seconds.
        let arguments = CommandLine.arguments
        let client = TokenCacheClient(path: arguments[1], restartGrace: Double(arguments[2]) ?? .nan)
        var calls: [Int: Task<Void, Never>] = [:]
        for await line in standardInput() {
            let command = try JSONDecoder().decode(Command.self, from: Data(line.utf8))
            if let number = command.call, let operation = command.operation, let arguments = command.arguments {
                // Each begins before the next command is read: the suite's calls have their order.
                calls[number] = Task.immediate { await report(number) { try await ask(client, operation, arguments) } }
            } else if let number = command.cancel {
                calls[number]?.cancel()
            } else if command.close == true {
                await client.close()
                put(["closed": true])
            }
        }
    }

    // A thread of its own waits for them; the calls need the others.
    private static func standardInput() -> AsyncStream<String> {
        AsyncStream { lines in
            Thread.detachNewThread {
                while let line = readLine() { lines.yield(line) }
                lines.finish()
            }
        }
    }

    /// The answer with the names of the protocol.
    private static func ask(
        _ client: TokenCacheClient,
        _ operation: String,
        _ given: Arguments
    ) async throws -> [String: Any] {
        // What the typed calls don't allow is asked untyped: the daemon's refusal is part of the suite.
        guard let user = given.user ?? (["prefetch", "hello"].contains(operation) ? .subject("") : nil) else {
            _ = try await client.call(ClientRequest(operation))
            return [:]
        }
        switch operation {
        case "token":
            let token = try await client.token(
                for: user,
                tenant: given.tenant,
                scope: given.scope,
                minTTL: given.minTTL,
                timeout: given.timeout,
                noCache: given.noCache ?? false
            )
            return [
                "access_token": token.accessToken, "token_type": token.tokenType, "expires_in": token.expiresIn,
                "expires_at": token.expiresAt, "scope": token.scope, "source": token.source, "stale": token.isStale,
                "min_ttl_met": token.meetsMinTTL,
            ]
        case "prefetch":
            let found = try await client.prefetch(
                subjects: given.subjects,
                userIDs: given.userIDs,
                tenant: given.tenant,
                scope: given.scope,
                timeout: given.timeout
            )
            return ["queued": found.queued, "cached": found.cached, "refused": found.refused]
        case "invalidate":
            let done = try await client.invalidate(
                user,
                accessToken: given.accessToken,
                tokenSHA256: given.tokenSHA256,
                tenant: given.tenant,
                scope: given.scope,
                timeout: given.timeout
            )
            return ["invalidated": done.invalidated, "retry_after": done.retryAfter ?? NSNull()]
        case "revoke":
            let done = try await client.revoke(
                user,
                tenant: given.tenant,
                scope: given.scope,
                timeout: given.timeout
            )
            return ["revoked": done.revoked, "upstream": done.upstream]
        default:
            let hello = try await client.hello(timeout: given.timeout)
            return [
                "server": hello.server, "version": hello.version, "protocol": hello.protocolVersion,
                "operations": hello.operations, "tenants": hello.tenants, "max_line": hello.longestLine,
            ]
        }
    }

    private static func report(_ number: Int, _ call: () async throws -> [String: Any]) async {
        do {
            put(["call": number, "answer": try await call()])
        } catch let error as TokenCacheError {
            let upstream = error.upstream.map {
                ["status": $0.status ?? NSNull(), "code": $0.code ?? NSNull(), "title": $0.title ?? NSNull()]
                    as [String: Any]
            }
            put([
                "call": number,
                "error": [
                    "code": error.code.rawValue, "description": error.description,
                    "retry_after": error.retryAfter ?? NSNull(), "upstream": upstream ?? NSNull(),
                ] as [String: Any],
            ])
        } catch {
            put(["call": number, "cancelled": error is CancellationError])
        }
    }

    private static func put(_ object: [String: Any]) {
        guard let line = try? JSONSerialization.data(withJSONObject: object) else { return }
        // One write a line: callers end on several threads.
        try? FileHandle.standardOutput.write(contentsOf: line + Data("\n".utf8))
    }
}
