import Testing

@testable import FleetStore

@Suite("Errors of the engine")
struct EngineFaultTests {
    @Test(
        "The first word of an error names its kind.",
        arguments: [
            ("NOAUTH Authentication required.", EngineFault.forbidden),
            ("WRONGPASS invalid username-password pair or user is disabled.", .forbidden),
            ("ERR The user executing the script can't run this command or subcommand", .forbidden),
            ("ERR ACL failure in script: The user has no permissions to run the 'xadd' command", .forbidden),
            ("NOPERM this user has no permissions to run the 'set' command", .forbidden),
            ("ERR AUTH <password> called without any password configured for the default user.", .forbidden),
            ("ERR invalid password", .forbidden),
            ("READONLY You can't write against a read only replica.", .readOnly),
            ("LOADING Redis is loading the dataset in memory", .loading),
            ("MASTERDOWN Link with MASTER is down", .loading),
            ("OOM command not allowed when used memory > 'maxmemory'.", .full),
            ("MISCONF Redis is configured to save RDB snapshots", .full),
            ("NOREPLICAS Not enough good replicas to write.", .full),
            ("BUSY Redis is busy running a script.", .busy),
            ("CLUSTERDOWN The cluster is down", .clusterDown),
            ("TRYAGAIN Multiple keys request during rehashing of slot", .moving),
            ("ERR Protocol error: invalid bulk length", .malformed),
            ("ERR unknown command", .rejected),
            ("", .rejected),
        ]
    )
    func kinds(text: String, fault: EngineFault) { #expect(EngineFault(error: text) == fault) }
}
