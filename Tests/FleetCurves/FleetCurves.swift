/// Measures what a fleet saves, by its number of machines: calls to the tenant, calls to the engine, and waits.
///
/// All machines are real caches. The engine is the model that the scripts are compared with, and time is simulated, so the
/// results do not depend on the speed of the machine. `make fleet-model` runs it. The arguments are the number of users, the
/// numbers of machines, and `faults` for machines that are cut off and messages that are lost.
@main
struct FleetCurves {
    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        let numbers = arguments.compactMap { Int($0) }
        let users = numbers.first ?? 1_000_000
        let sizes = numbers.count > 1 ? Array(numbers.dropFirst()) : [1, 10, 100, 1_000]
        let hasFaults = arguments.contains("faults")
        print("| machines | calls a life | calls to the engine a request | hits of the first level | longest wait |")
        print("|---:|---:|---:|---:|---:|")
        for machines in sizes {
            var fleet = FleetOfUsers(FleetScenario(users: users, machines: machines, hasFaults: hasFaults))
            let tally = fleet.run()
            print("| \(machines) \(tally.row)")
        }
    }
}
