// Purpose: the demo, the benchmarks and tests of the real executables need the stand-in tenant as a
// process of its own.
//
// Promises: one line on its standard output when it listens, its base URL, and an orderly end at SIGTERM and SIGINT.

import ArgumentParser
import FoundationEssentials
import Glibc
import StandInTenant
import UnixSignals

/// The stand-in tenant as a program.
@main
struct StandInTenantCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "standin-tenant",
        abstract:
            "Plays a tenant's token endpoint and its API of users on loopback, with every fault that a test asks for.",
        discussion: """
            It prints its base URL when it listens. A subject names the behaviour for its own calls: expires-20:alice \
            gets a token of 20 seconds, flap-2:alice fails twice and then works. --list-behaviours shows the grammar, \
            all behaviours and the control requests under /_control/.
            """
    )

    @Option(help: "The port on 127.0.0.1, or 0 for any free one.")
    var port: UInt16 = 0

    @Option(name: .customLong("client-id"), help: "The client's id.")
    var clientID = "standin-client"

    @Option(parsing: .upToNextOption, help: "The secrets that are accepted, one to five.")
    var clientSecret = ["standin-secret"]

    @Option(
        help: ArgumentHelp(
            "A further client, which gets tokens of its own: its id, its secret and its scopes. Can be repeated.",
            valueName: "id:secret:scope,…"
        )
    )
    var client: [FurtherClient] = []

    @Option(help: "The users whose tokens can be had: all (lax), or those that exist (strict).")
    var users = StandInTenant.Users.lax

    @Option(help: ArgumentHelp("The wait before each reply, in milliseconds.", valueName: "ms"))
    var latency: UInt32 = 0

    @Option(
        help: ArgumentHelp(
            "Answer calls of /oauth/ past this rate with 429. Without it there is no limit.",
            valueName: "n"
        )
    )
    var ratePerMinute: UInt32?

    @Option(help: ArgumentHelp("The same for calls of /api/v1/.", valueName: "n"))
    var apiRatePerMinute: UInt32?

    @Option(help: ArgumentHelp("Write the base URL to a file when it listens. It appears complete.", valueName: "file"))
    var readyFile: String?

    @Flag(help: "Print the grammar of behaviours, all of them and the control requests, and end.")
    var listBehaviours = false

    func run() async throws {
        if listBehaviours {
            print(BehaviourTable.help + "\n" + StandInTenant.controlHelp, terminator: "")
            return
        }
        // The signals are caught before anyone can know that it runs.
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        var configuration = StandInTenant.Configuration()
        configuration.port = Int(port)
        configuration.clientID = clientID
        configuration.clientSecrets = clientSecret
        configuration.latency = .milliseconds(latency)
        configuration.clients = client.map(\.client)
        configuration.users = users
        configuration.rateLimit = ratePerMinute.map { perMinute in .init(perMinute: Int(perMinute)) }
        configuration.apiRateLimit = apiRatePerMinute.map { perMinute in .init(perMinute: Int(perMinute)) }
        let tenant = try await StandInTenant.start(configuration)
        try announce(tenant.baseURL)
        for await _ in signals { break }
        try await tenant.stop()
    }

    /// Reports that the stand-in listens: writes the file, then the line, so that a reader of the line finds the file.
    private func announce(_ baseURL: String) throws {
        if let readyFile { try Data((baseURL + "\n").utf8).write(to: URL(filePath: readyFile), options: .atomic) }
        print(baseURL)
        fflush(nil)  // All streams, as the variable `stdout` isn't safe to read.
    }
}
