import ArgumentParser
import TokenCacheClient

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// `health`: says whether the daemon does its work; its exit status is for probes.
struct Health: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say whether the daemon does its work; ends with 1 where it is failing.",
        discussion: "ok and degraded end with 0: a degraded daemon serves what it has."
    )

    @OptionGroup var sockets: SocketOptions

    @Flag(help: "Print the daemon's reply.")
    var json = false

    func run() async throws {
        let reply = try await sockets.askAdmin(ClientRequest("health"))
        let health = try JSONDecoder().decode(HealthDocument.self, from: reply)
        if json { try Output.put(json: reply) } else { try Output.put(HealthView(health).text) }
        if health.status == "failing" { throw ExitCode(1) }
    }
}

/// `explain`: says why a user's next answer would be what it is.
struct Explain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Say why a user's next answer would be what it is.")

    @OptionGroup var sockets: SocketOptions
    @OptionGroup var key: KeyOptions

    @Flag(help: "Print the daemon's reply.")
    var json = false

    func run() async throws {
        let reply = try await sockets.askAdmin(key.request("explain"))
        guard !json else { return try Output.put(json: reply) }
        try Output.put(ExplainView(try JSONDecoder().decode(ExplainDocument.self, from: reply)).text)
    }
}
