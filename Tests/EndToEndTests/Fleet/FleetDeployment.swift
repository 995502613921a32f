import Foundation
import OperatorReplies
import StandInTenant
import TestSupport
import Testing

/// Real daemons of several machines beside one engine and one stand-in tenant.
final class FleetDeployment {
    /// One machine's daemon.
    final class Machine {
        let directory: TemporaryDirectory
        private(set) var daemon: Program

        fileprivate init(_ directory: TemporaryDirectory) throws {
            self.directory = directory
            daemon = try Self.launch(directory)
        }

        private static func launch(_ directory: TemporaryDirectory) throws -> Program {
            let daemon = try Program(
                "tokencached",
                [
                    "--config", directory.path("c.yaml"), "--socket", directory.path("r"), "--admin-socket",
                    directory.path("a"),
                ]
            )
            _ = try #require(daemon.waitForOutput("the daemon serves"), "it should come up: \(daemon.written)")
            return daemon
        }

        /// Opens a connection for requests.
        func requests() throws -> LineClient { try LineClient(directory.path("r")) }

        /// Opens a connection for an operator's requests.
        func admin() throws -> LineClient { try LineClient(directory.path("a")) }

        /// Makes one request for a token, on a new connection.
        func token(_ subject: String, _ members: String = "") throws -> [String: Any] {
            try requests().ask(Deployment.line(subject, members))
        }

        /// Makes one request of an operator.
        func operate(_ line: String) throws -> [String: Any] { try admin().ask(line) }

        /// The fleet in the statistics.
        func fleet() throws -> StatsReply.Fleet? { try admin().stats().fleet }

        /// Waits until the fleet has a state.
        func wait(_ what: String, _ condition: (StatsReply.Fleet) -> Bool) async throws {
            try await until("\(what): \(daemon.written.suffix(2_000))") { try fleet().map(condition) ?? false }
        }

        /// Waits until the engine answers.
        func connected() async throws { try await wait("connected") { $0.isConnected } }

        /// Ends the daemon by a signal, and starts the next one.
        func restart(_ signal: Int32 = SIGTERM) throws {
            daemon.signal(signal)
            #expect(daemon.waitForEnd() == (signal == SIGTERM ? 0 : signal))
            daemon = try Self.launch(directory)
        }

        /// Puts another configuration into force.
        func reload(_ configuration: String) throws {
            try directory.write(configuration, to: "c.yaml")
            #expect(try operate(#"{"op":"reload"}"#)["reloaded"] as? Bool == true, "\(daemon.written.suffix(2_000))")
        }
    }

    let tenant: StandInTenant
    private(set) var engine: EngineServer
    private(set) var machines: [Machine] = []

    /// Starts an engine, a tenant and the machines' daemons, and waits until all are connected.
    ///
    /// - Parameter options: Further lines of the tenant's section.
    static func start(_ count: Int = 3, options: String = "") async throws -> FleetDeployment {
        let tenant = try await StandInTenant.start()
        do {
            let fleet = try FleetDeployment(tenant, count, options)
            for machine in fleet.machines { try await machine.connected() }
            return fleet
        } catch {
            try await tenant.stop()
            throw error
        }
    }

    private init(_ tenant: StandInTenant, _ count: Int, _ options: String) throws {
        self.tenant = tenant
        engine = try EngineServer()
        try addUser()
        for _ in 0..<count {
            let directory = try TemporaryDirectory()
            try directory.write(tenant.clientSecret + "\n", to: "secret")
            try directory.write(Self.key("A"), to: "fleet-key")
            try directory.write("PASSWORD\n", to: "fleet-password")
            try directory.write(configuration(in: directory, options: options), to: "c.yaml")
            machines.append(try Machine(directory))
        }
    }

    /// The file with one key, made of one of the letters that are right at the end of 32 bytes, such as A and E.
    static func key(_ letter: Character) -> String { "\(String(repeating: letter, count: 43))=\n" }

    /// A machine's configuration.
    ///
    /// - Parameters:
    ///   - isShared: True if the machine is in the fleet.
    ///   - options: Further lines of the tenant's section.
    func configuration(in directory: TemporaryDirectory, isShared: Bool = true, options: String = "") -> String {
        // A busy machine must not look like an absent engine.
        let fleet =
            "{ url: 'unix://\(engine.socket)', key: { file: \(directory.path("fleet-key")) }, username: tokencached, "
            + "password: { file: \(directory.path("fleet-password")) }, timeout: 5s }"
        return Deployment.configuration(
            tenant,
            directory,
            settings: isShared ? "fleet: \(fleet)" : "",
            options: options
        )
    }

    /// Runs the operator's tool on a machine.
    func control(_ arguments: String..., on machine: Int) throws -> (status: Int32, output: String) {
        let directory = machines[machine].directory
        let environment = [
            "TOKENCACHED_SOCKET": directory.path("r"), "TOKENCACHED_ADMIN_SOCKET": directory.path("a"),
        ]
        return try Program.run("tokencachectl", arguments, environment: environment)
    }

    /// The names of the engine's keys of a kind: `v` for tokens, `r` for denials.
    func names(_ kind: String) throws -> [Substring] {
        try engine.run("--scan", "--pattern", "*:\(kind):*").split(separator: "\n")
    }

    /// Starts an empty engine in the place of the present one.
    func restartEngine() throws {
        engine = try EngineServer(in: engine.directory)
        try addUser()
    }

    /// Makes the engine's user as the page about fleets says, so that the daemons need no other rights.
    private func addUser() throws {
        let page = URL(filePath: #filePath).appending(path: "../../../../Documentation/fleet.md").standardized
        let lines = try String(contentsOf: page, encoding: .utf8).split(separator: "\n")
        let commands = lines.filter { $0.hasPrefix("ACL SETUSER tokencached ") }
        try #require(!commands.isEmpty)
        for command in commands { try engine.run(command.split(separator: " ").map(String.init)) }
        // Daemons that had connected before are refused.
        try engine.run("ACL", "LOG", "RESET")
    }

    /// Ends all.
    ///
    /// The daemons have to exit with 0, the tenant must have received correct requests only, and the engine none that its user
    /// may not make.
    ///
    /// - Parameter hasEngine: False if the engine is gone.
    func stop(hasEngine: Bool = true) async throws {
        for machine in machines {
            machine.daemon.signal(SIGTERM)
            #expect(machine.daemon.waitForEnd() == 0, "\(machine.daemon.written.suffix(4_000))")
        }
        if hasEngine { #expect(try engine.run("ACL", "LOG") == "") }
        #expect(await tenant.violations.isEmpty)
        try await tenant.stop()
    }
}

/// Waits for something that is told to nobody.
func until(_ what: @autoclosure () -> String, _ condition: () throws -> Bool) async throws {
    let deadline = ContinuousClock.now + TestTimeout.duration
    while try !condition() {
        try #require(ContinuousClock.now < deadline, "not in time: \(what())")
        await Task.yield()
    }
}
