// Why this module exists: the demo, the benchmarks and tests of the real executables need the stand-in tenant as a
// process of its own.
//
// What it promises: one line on its standard output when it listens, its base URL; an orderly end at SIGTERM and SIGINT.

import ArgumentParser
import StandInTenant
import UnixSignals

/// The stand-in tenant as a program.
@main
struct StandInTenantCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "standin-tenant",
        abstract: "Plays a tenant's token endpoint on loopback, with every fault that a test asks for.",
        discussion: """
            It prints its base URL when it listens. A subject says how its own calls go: expires-20:alice gets a token \
            of 20 seconds, flap-2:alice fails twice and then works; --list-behaviours shows the grammar, all \
            behaviours and the control requests under /_control/.
            """
    )

    @OptionGroup var server: ServerOptions
    @OptionGroup var behaviour: BehaviourOptions

    @Flag(help: "Print the grammar of behaviours, all of them and the control requests, and end.")
    var listBehaviours = false

    func run() async throws {
        if listBehaviours {
            print(BehaviourTable.help + "\n" + ControlCommand.help, terminator: "")
            return
        }
        // The signals are caught before anyone can know that it runs.
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        var configuration = StandInTenant.Configuration()
        server.apply(to: &configuration)
        try behaviour.apply(to: &configuration)
        let tenant = try await StandInTenant.start(configuration)
        if let script = behaviour.behaviour { try await tenant.setBehaviour(script) }
        try server.announce(tenant)
        for await _ in signals { break }
        try await tenant.stop()
    }
}
