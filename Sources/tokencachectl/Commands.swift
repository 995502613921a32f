import ArgumentParser
import TokenCacheClient

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The options that say whose token.
struct KeyOptions: ParsableArguments {
    @Argument(help: "The user's subject, or the user's id with --user-id.")
    var subject: String

    @Flag(help: "The user is named by the tenant's own id.")
    var userID = false

    @Option(help: "The tenant's name in the daemon's configuration.")
    var tenant: String?

    @Option(help: "Scopes, with spaces between.")
    var scope: String?

    func request(_ operation: String) -> ClientRequest {
        ClientRequest(
            operation,
            user: userID ? .userID(subject) : .subject(subject),
            tenant: tenant,
            scope: scope
        )
    }
}

/// `token`: prints a user's bare token.
struct Token: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print a user's token.")

    @OptionGroup var sockets: SocketOptions
    @OptionGroup var key: KeyOptions

    @Option(help: "What must be left of it, in seconds.")
    var minTTL: Double?

    @Option(help: "How long the daemon may take, in seconds.")
    var timeout: Double?

    @Flag(help: "Have a new one minted.")
    var noCache = false

    @Flag(help: "Print the daemon's reply.")
    var json = false

    func run() async throws {
        var request = key.request("token")
        request.minTTL = minTTL.map(Duration.init(clampingSeconds:))
        if let timeout { request.timeout = Duration(clampingSeconds: timeout) }
        request.noCache = noCache
        let reply = try await sockets.ask(request)
        guard !json else { return try Output.put(json: reply) }
        try Output.put(JSONDecoder().decode(TokenCacheClient.Token.self, from: reply).accessToken)
    }
}

/// `stats`: prints what the daemon has done since its start.
struct Stats: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show counters, gauges and latencies.")

    @OptionGroup var sockets: SocketOptions

    @Flag(help: "Print the daemon's reply.")
    var json = false

    func run() async throws {
        let reply = try await sockets.askAdmin(ClientRequest("stats"))
        guard !json else { return try Output.put(json: reply) }
        try Output.put(StatsView(try JSONDecoder().decode(StatsDocument.self, from: reply)).text)
    }
}

/// `entries`: prints the cache's content, but for the tokens.
struct Entries: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the cached tokens, without the tokens themselves.")

    @OptionGroup var sockets: SocketOptions

    @Option(help: "Only this tenant's.")
    var tenant: String?

    @Option(help: "At most so many, up to 1000.")
    var limit: Int?

    @Option(help: "Go on behind the cursor that an earlier page ended with.")
    var after: String?

    @Flag(help: "Print the daemon's reply.")
    var json = false

    func run() async throws {
        var request = ClientRequest("entries", tenant: tenant)
        request.limit = limit
        request.after = after
        let reply = try await sockets.askAdmin(request)
        guard !json else { return try Output.put(json: reply) }
        try Output.put(EntriesView(try JSONDecoder().decode(EntriesDocument.self, from: reply)).text)
    }
}

/// `evict`: drops a user's tokens.
struct Evict: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Drop a user's tokens; without --scope, of all scopes.")

    @OptionGroup var sockets: SocketOptions
    @OptionGroup var key: KeyOptions

    func run() async throws {
        _ = try await sockets.askAdmin(key.request("evict"))
        try Output.put("evicted")
    }
}

/// `flush`: drops all tokens.
struct Flush: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Drop all tokens, of one tenant or of all.")

    @OptionGroup var sockets: SocketOptions

    @Option(help: "Only this tenant's.")
    var tenant: String?

    private struct Flushed: Decodable { let flushed: Int }

    func run() async throws {
        let reply = try await sockets.askAdmin(ClientRequest("flush", tenant: tenant))
        try Output.put("\(try JSONDecoder().decode(Flushed.self, from: reply).flushed) tokens dropped")
    }
}

/// `reload`: has the configuration read again.
struct Reload: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Have the daemon read its configuration again; faults are listed and the old one stays in force."
    )

    @OptionGroup var sockets: SocketOptions

    func run() async throws {
        _ = try await sockets.askAdmin(ClientRequest("reload"))
        try Output.put("reloaded")
    }
}

/// `hello`: prints what this user may ask the daemon.
struct Hello: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print the daemon's version, operations and tenants.")

    @OptionGroup var sockets: SocketOptions

    func run() async throws {
        try Output.put(json: try await sockets.ask(ClientRequest("hello")))
    }
}
