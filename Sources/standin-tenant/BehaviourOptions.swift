import ArgumentParser
import FoundationEssentials
import StandInTenant

/// What the program plays, but for what subjects ask for themselves.
struct BehaviourOptions: ParsableArguments {
    @Option(name: .customLong("client-id"), help: "The id of the client that it knows.")
    var clientID = "standin-client"

    @Option(parsing: .upToNextOption, help: "The secrets that the client may use, one to five.")
    var clientSecret = ["standin-secret"]

    @Option(
        name: .customLong("client-key"),
        help: ArgumentHelp(
            "A file with a public key of the client's, for assertions in place of a secret.",
            valueName: "file"
        )
    )
    var clientKeys: [String] = []

    @Option(help: ArgumentHelp("How long each reply waits, in milliseconds.", valueName: "ms"))
    var latency = 0

    @Option(help: ArgumentHelp("How long tokens live, in seconds.", valueName: "s"))
    var lifetime = 21_600

    @Option(
        help: ArgumentHelp("Answer calls past so many a minute with 429; without it there is no limit.", valueName: "n")
    )
    var ratePerMinute: Int?

    @Option(help: ArgumentHelp("What everyone gets whose subject asks for nothing else.", valueName: "script"))
    var behaviour: String?

    func validate() throws {
        guard (0...86_400_000).contains(latency) else { throw ValidationError("The latency is 0 to 86400000 ms.") }
        guard (1...1_000_000_000).contains(lifetime) else {
            throw ValidationError("The lifetime is at least a second.")
        }
        guard ratePerMinute ?? 1 > 0 else { throw ValidationError("The rate is at least one call a minute.") }
        if let behaviour { _ = try BehaviourTable.script(behaviour) }
    }

    /// Enters the options into a configuration.
    func apply(to configuration: inout StandInTenant.Configuration) throws {
        configuration.clientKeys = try clientKeys.map { try String(contentsOf: URL(filePath: $0), encoding: .utf8) }
        configuration.clientID = clientID
        configuration.clientSecrets = clientSecret
        configuration.latency = .milliseconds(latency)
        configuration.lifetime = .seconds(lifetime)
        configuration.rateLimit = ratePerMinute.map { perMinute in StandInTenant.RateLimit(perMinute: perMinute) }
    }
}
