import Foundation
import TokenCacheClient

// Makes calls of the Swift client for the player of the conformance suite, which is written in Python. Each line on standard
// input is a command in JSON. The outcome of each call is a line on standard output.

/// A command of the player.
struct Command: Decodable {
    let call: Int?
    let operation: String?
    let arguments: Arguments?
    let cancel: Int?
    let close: Bool?
}

/// The arguments of a call, by their names in the protocol.
///
/// Times are in seconds.
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
    let traceparent: String?
    let client: String?
    let clients: [String]?
    let refusedToken: String?
    let refusedTokenSHA256: String?
    let everywhere: Bool?
    let name: String?
    let email: String?
    let groups: [String]?

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
        case traceparent
        case client
        case clients
        case refusedToken = "refused_token"
        case refusedTokenSHA256 = "refused_token_sha256"
        case everywhere
        case name
        case email
        case groups
    }

    var user: TokenCacheClient.User? {
        subject.map(TokenCacheClient.User.subject) ?? userID.map(TokenCacheClient.User.userID)
            ?? client.map(TokenCacheClient.User.client)
    }

    var refused: TokenCacheClient.RefusedToken? {
        refusedToken.map(TokenCacheClient.RefusedToken.accessToken)
            ?? refusedTokenSHA256.map(TokenCacheClient.RefusedToken.sha256)
    }

    /// The timeout, or the client's own default.
    var wait: Duration { timeout.map { .seconds($0) } ?? .seconds(10) }
}

@main
enum ConformanceDriver {
    static func main() async throws {
        // The path of the socket, and the grace period for a restart in seconds.
        let arguments = CommandLine.arguments
        let client = TokenCacheClient(path: arguments[1], restartGrace: .seconds(Double(arguments[2]) ?? -1))
        var calls: [Int: Task<Void, Never>] = [:]
        for await line in standardInput() {
            let command = try JSONDecoder().decode(Command.self, from: Data(line.utf8))
            if let number = command.call, let operation = command.operation, let arguments = command.arguments {
                // Each call begins before the next command is read, because the suite fixes their order.
                calls[number] = Task.immediate { await report(number) { try await ask(client, operation, arguments) } }
            } else if let number = command.cancel {
                calls[number]?.cancel()
            } else if command.close == true {
                await client.close()
                put(["closed": true])
            }
        }
    }

    // Reading blocks a thread, and the calls need those of the concurrency pool.
    private static func standardInput() -> AsyncStream<String> {
        AsyncStream { lines in
            Thread.detachNewThread {
                while let line = readLine() { lines.yield(line) }
                lines.finish()
            }
        }
    }

    /// The result of a call, with the names of the protocol.
    private static func ask(
        _ client: TokenCacheClient,
        _ operation: String,
        _ given: Arguments
    ) async throws -> [String: Any] {
        switch (operation, given.user) {
        case ("token", let user?): try await token(client, user, given)
        case ("prefetch", _): try await prefetch(client, given)
        case ("invalidate", let user?): try await invalidate(client, user, given)
        case ("revoke", let user?): try await revoke(client, user, given)
        case ("provision", let user?): try await provision(client, user, given)
        case ("hello", _): try await hello(client, given)
        default: try await untyped(client, operation)
        }
    }

    private static func token(
        _ client: TokenCacheClient,
        _ user: TokenCacheClient.User,
        _ given: Arguments
    ) async throws -> [String: Any] {
        let token = try await client.token(
            for: user,
            tenant: given.tenant,
            scope: given.scope,
            minTTL: given.minTTL.map { .seconds($0) },
            timeout: given.wait,
            noCache: given.noCache ?? false,
            refusedToken: given.refused,
            traceparent: given.traceparent
        )
        return [
            "access_token": token.accessToken, "token_type": token.tokenType, "expires_at": token.expiresAt,
            "expires_in": token.expiresIn.components.seconds, "scope": token.scope, "source": token.source.rawValue,
            "stale": token.isStale, "min_ttl_met": token.meetsMinTTL,
        ]
    }

    private static func prefetch(_ client: TokenCacheClient, _ given: Arguments) async throws -> [String: Any] {
        let (tenant, scope, wait, trace) = (given.tenant, given.scope, given.wait, given.traceparent)
        let found =
            if let users = given.userIDs {
                try await client.prefetch(
                    userIDs: users,
                    tenant: tenant,
                    scope: scope,
                    timeout: wait,
                    traceparent: trace
                )
            } else if let clients = given.clients {
                try await client.prefetch(
                    clients: clients,
                    tenant: tenant,
                    scope: scope,
                    timeout: wait,
                    traceparent: trace
                )
            } else {
                try await client.prefetch(
                    subjects: given.subjects ?? [],
                    tenant: tenant,
                    scope: scope,
                    timeout: wait,
                    traceparent: trace
                )
            }
        return ["queued": found.queued, "cached": found.cached, "refused": found.refused]
    }

    private static func invalidate(
        _ client: TokenCacheClient,
        _ user: TokenCacheClient.User,
        _ given: Arguments
    ) async throws -> [String: Any] {
        let (tenant, scope, wait) = (given.tenant, given.scope, given.wait)
        let done =
            if let digest = given.tokenSHA256 {
                try await client.invalidate(tokenSHA256: digest, of: user, tenant: tenant, scope: scope, timeout: wait)
            } else {
                try await client.invalidate(
                    accessToken: given.accessToken ?? "",
                    of: user,
                    tenant: tenant,
                    scope: scope,
                    timeout: wait
                )
            }
        return ["invalidated": done.invalidated, "retry_after": seconds(done.retryAfter)]
    }

    private static func revoke(
        _ client: TokenCacheClient,
        _ user: TokenCacheClient.User,
        _ given: Arguments
    ) async throws -> [String: Any] {
        let done = try await client.revokeTokens(
            of: user,
            tenant: given.tenant,
            scope: given.scope,
            everywhere: given.everywhere ?? false,
            timeout: given.wait,
            traceparent: given.traceparent
        )
        return [
            "revoked": done.revoked, "upstream": done.revokedUpstream,
            "upstream_revoked": done.upstreamRevoked ?? NSNull(),
        ]
    }

    private static func provision(
        _ client: TokenCacheClient,
        _ user: TokenCacheClient.User,
        _ given: Arguments
    ) async throws -> [String: Any] {
        guard case .subject(let subject) = user else { return try await untyped(client, "provision") }
        let done = try await client.provision(
            subject: subject,
            name: given.name,
            email: given.email,
            groups: given.groups,
            tenant: given.tenant,
            timeout: given.wait
        )
        return [
            "user_id": done.userID, "status": done.status.rawValue, "created": done.created,
            "groups_changed": done.groupsChanged, "source": done.source.rawValue,
        ]
    }

    private static func hello(_ client: TokenCacheClient, _ given: Arguments) async throws -> [String: Any] {
        let hello = try await client.hello(timeout: given.wait)
        return [
            "server": hello.server, "version": hello.version, "protocol": hello.protocolVersion,
            "operations": hello.operations, "tenants": hello.tenants, "clients": hello.clients,
            "max_line": hello.maxLineLength,
        ]
    }

    /// Sends a request that the typed methods can't express, because the suite also has some that the daemon rejects.
    private static func untyped(_ client: TokenCacheClient, _ operation: String) async throws -> [String: Any] {
        _ = try await client.call(TokenCacheClient.Request(operation))
        return [:]
    }

    private static func seconds(_ duration: Duration?) -> Any {
        duration.map { Double($0.components.seconds) + Double($0.components.attoseconds) / 1e18 } ?? NSNull()
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
                    "code": error.code.rawValue, "description": error.message,
                    "retry_after": seconds(error.retryAfter), "upstream": upstream ?? NSNull(),
                ] as [String: Any],
            ])
        } catch {
            put(["call": number, "cancelled": error is CancellationError])
        }
    }

    private static func put(_ object: [String: Any]) {
        guard let line = try? JSONSerialization.data(withJSONObject: object) else { return }
        // Each line is one write, because calls end on several threads.
        try? FileHandle.standardOutput.write(contentsOf: line + Data("\n".utf8))
    }
}
