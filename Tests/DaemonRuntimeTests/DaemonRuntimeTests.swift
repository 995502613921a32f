import DaemonConfiguration
import DaemonRuntime
import Foundation
import Logging
import Secrets
import ServiceLifecycle
import SocketServer
import StandInTenant
import TestSupport
import Testing

@Suite("The daemon from its start to its end", .timeLimit(.minutes(3)))
struct DaemonRuntimeTests {
    private let directory: TemporaryDirectory
    private let log = RecordedLog()

    init() throws {
        directory = try TemporaryDirectory()
        try directory.write("standin-secret", to: "secret")
    }

    private func write(_ settings: String = "", options: String = "", host: String = "https://t.example") throws {
        let text = """
            \(settings)
            tenants:
              main:
                host: \(host)
                client_id: standin-client
                client_secret: { file: \(directory.path("secret")) }
                \(options)
            """
        try directory.write(text, to: "c.yaml")
    }

    private func daemon() throws -> DaemonRuntime {
        let source = ConfigurationSource(
            path: directory.path("c.yaml"),
            requestsPath: directory.path("r"),
            adminPath: directory.path("a"),
            environment: ["PASSWORD": "hunter2"],
            memory: SecretMemory(),
            accounts: AccountResolver(StandInNameService())
        )
        let signals = DaemonRuntime.Signals(shutdown: [], reload: [])
        return DaemonRuntime(source, try source.load(), log.output, log.logger, signals: signals)
    }

    private func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: directory.path(name)) }

    /// A daemon as a service of a group, by which a test ends it.
    private struct Running: Service {
        let daemon: DaemonRuntime

        func run() async throws { try await daemon.run() }
    }

    /// Runs a daemon until a test is over, then shuts it down.
    private func run(_ body: @Sendable () async throws -> Void) async throws {
        let group = ServiceGroup(services: [Running(daemon: try daemon())], logger: Logger(label: "group"))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            await log.wait(for: "the daemon serves")
            let result = await Result { try await body() }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            try result.get()
        }
    }

    private func ask(_ line: String, admin: Bool = false) async throws -> Answer {
        try await LineClient(directory.path(admin ? "a" : "r")).answer(to: line)
    }

    // MARK: Faults

    @Test(
        "A start that meets a fault of the configuration throws it, serves nothing and leaves no socket.",
        arguments: [
            ("audit: { to: /none/audit }", "", "audit.to: /none/audit can't be written"),
            ("", "ca_file: /none", "tenants.main.ca_file: /none can't be read as certificates"),
        ]
    )
    func faults(settings: String, options: String, sentence: String) async throws {
        try write(settings, options: options)
        let daemon = try daemon()
        await #expect {
            try await daemon.run()
        } throws: { error in
            (error as? ConfigurationFaults)?.description.contains(sentence) == true
        }
        #expect(!exists("r") && !exists("a"))
        #expect(log.count("the daemon serves") == 0)
        #expect(log.count("the daemon has ended") == 0)
    }

    @Test("A start whose socket another daemon serves fails before it touches anything else.")
    func inUse() async throws {
        try write("audit: { to: \(directory.path("audit")) }")
        let other = try ListeningSocket.bind(.init(path: directory.path("a"), mode: 0o600))
        let daemon = try daemon()
        await #expect(throws: ListeningSocketError.self) { try await daemon.run() }
        #expect(!exists("r") && exists("a") && !exists("audit"))
        other.removeName()
    }

    // MARK: Service

    @Test("The daemon serves, reloads when an operator asks, drains, leaves no socket, and logs each step in order.")
    func life() async throws {
        try await withStandInTenant { tenant in
            try write(host: tenant.baseURL)
            try await run {
                #expect(try await ask(#"{"op":"token","subject":"ann"}"#).source == "tenant")
                try write("log: { level: debug }\ncolour: red", host: tenant.baseURL)
                #expect(try await ask(#"{"op":"reload"}"#, admin: true).error == "invalid_configuration")
                #expect(try await ask(#"{"op":"token","subject":"ann"}"#).source == "cache")
                try write("log: { level: debug }", host: tenant.baseURL)
                #expect(try await ask(#"{"op":"reload"}"#, admin: true).reloaded == true)
                #expect(try await ask(#"{"op":"token","subject":"ann"}"#).source == "cache")
            }
            #expect(!exists("r") && !exists("a"))
            let steps = [
                "the daemon serves", "the configuration has a fault", "the configuration was read again",
                "the daemon drains", "the daemon has ended",
            ]
            let found = log.lines.compactMap { line in steps.first { line.contains($0) } }
            #expect(found == steps)
            #expect(log.count("sl-service=ReloadService") > 0, "the services are named at the debug level")
            #expect(log.count("hunter2") == 0, "and nothing shows what they hold")
        }
    }

    @Test("A request that is under way when the shutdown begins is answered.")
    func drain() async throws {
        try await withStandInTenant { tenant in
            try write(host: tenant.baseURL)
            await tenant.holdReplies()
            let client = Task.detached { [directory, log] in
                await log.wait(for: "the daemon serves")
                return try await LineClient(directory.path("r")).answer(to: #"{"op":"token","subject":"ann"}"#)
            }
            let release = Task.detached { [log] in
                await log.wait(for: "the daemon drains")
                await tenant.releaseReplies()
            }
            try await run { try await tenant.waitForHeldReplies(count: 1, within: .seconds(60)) }
            await release.value
            #expect(try await client.value.source == "tenant")
        }
    }

    @Test("The configuration's log level holds from the start, and a section without effect is logged once.")
    func startLog() async throws {
        try write("log: { level: warning }\nmetrics: { listen: '127.0.0.1:1' }\naudit: { to: none }")
        let group = ServiceGroup(services: [Running(daemon: try daemon())], logger: Logger(label: "group"))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            await log.wait(for: "does not act on it section=metrics")
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        #expect(log.lines.allSatisfy { $0.hasPrefix("<4>") }, "\(log.lines)")
        #expect(log.count("does not act on it") == 1)
    }
}
