import ArgumentParser

/// `fleet`: the commands about the engine that the daemons of several machines share.
struct Fleet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show this machine's share in a fleet, and help to change the fleet's keys.",
        subcommands: [FleetStatus.self, FleetRotateCheck.self, FleetNewKey.self]
    )
}
