import DaemonConfiguration
import DaemonRuntime
import Foundation
import Glibc
import Logging
import Secrets
import ServiceLifecycle
import SocketServer
import StandInTenant
import Synchronization
import TestSupport
import Testing
import UnixSignals

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

    private func daemon(reloadSignals: [UnixSignal] = []) throws -> DaemonRuntime {
        let source = ConfigurationSource(
            path: directory.path("c.yaml"),
            requestsPath: directory.path("r"),
            adminPath: directory.path("a"),
            environment: ["PASSWORD": "hunter2"],
            memory: SecretMemory(),
            accounts: AccountResolver(StandInNameService())
        )
        let signals = DaemonRuntime.Signals(shutdown: [], reload: reloadSignals)
        return DaemonRuntime(source, try source.load(), log.output, log.logger, signals: signals)
    }

    private func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: directory.path(name)) }

    /// A daemon as a service of a group, by which a test ends it.
    private struct Running: Service {
        let daemon: DaemonRuntime

        func run() async throws { try await daemon.run() }
    }

    /// Runs a daemon until a test is over, then shuts it down.
    private func run(
        reloadSignals: [UnixSignal] = [],
        _ body: @Sendable () async throws -> Void
    ) async throws {
        let daemon = try daemon(reloadSignals: reloadSignals)
        let group = ServiceGroup(services: [Running(daemon: daemon)], logger: Logger(label: "group"))
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

    @Test("A signal causes a reload, whose record in the audit trail has no peer.")
    func signal() async throws {
        let path = directory.path("audit")
        try write("audit: { to: \(path) }")
        try await run(reloadSignals: [.sigusr1]) {
            #expect(kill(getpid(), SIGUSR1) == 0)
            await log.wait(for: "the configuration was read again")
            try write("colour: red")
            #expect(kill(getpid(), SIGUSR1) == 0)
            await log.wait(for: "the configuration has a fault")
        }
        let records = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        #expect(records.count == 2)
        #expect(records.allSatisfy { $0.contains(#""event":"reload""#) && !$0.contains("peer") }, "\(records)")
        #expect(records.last?.contains("invalid_configuration") == true)
    }

    @Test("A request that is under way when the shutdown begins is answered, and idle connections are closed.")
    func drain() async throws {
        try await withStandInTenant { tenant in
            try write(host: tenant.baseURL)
            await tenant.holdReplies()
            let answer = try await runUntilHeld(tenant) {
                let idle = try LineClient(directory.path("r"))
                _ = try await idle.answer(to: #"{"op":"hello"}"#)
                return Task.detached {
                    // It is closed as the drain begins, and the tenant answers only after that.
                    let line = try await idle.nextLine()
                    await tenant.releaseReplies()
                    return line
                }
            }
            #expect(answer.source == "tenant")
        }
    }

    /// Runs a daemon until the tenant holds the reply to a request for a token, and returns what the request gets.
    ///
    /// - Parameter begin: Begins a task that has the reply released, and then returns nil.
    private func runUntilHeld(
        _ tenant: StandInTenant,
        _ begin: @escaping @Sendable () async throws -> Task<String?, any Error>
    ) async throws -> Answer {
        let tasks = Mutex<(request: Task<Answer, any Error>, release: Task<String?, any Error>)?>(nil)
        try await run {
            let path = directory.path("r")
            let request = Task.detached {
                try await LineClient(path).answer(to: #"{"op":"token","subject":"ann"}"#)
            }
            try await tenant.waitForHeldReplies(count: 1, within: .seconds(60))
            let release = try await begin()
            tasks.withLock { $0 = (request, release) }
        }
        let begun = try #require(tasks.withLock { $0 })
        #expect(try await begun.release.value == nil)
        return try await begun.request.value
    }

    @Test("The configuration's log level holds from the start.")
    func startLog() async throws {
        try write("log: { level: warning }\nadmin: { users: [nobody-of-that-name] }\naudit: { to: none }")
        let group = ServiceGroup(services: [Running(daemon: try daemon())], logger: Logger(label: "group"))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            await log.wait(for: "names what this machine does not know now")
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        #expect(log.lines.allSatisfy { $0.hasPrefix("<4>") }, "\(log.lines)")
    }

    // MARK: Metrics

    @Test("While the daemon drains, it says that it is not ready, and is still alive.")
    func notReady() async throws {
        let port = try PortReservation()
        try await withStandInTenant { tenant in
            try write("metrics: { listen: 127.0.0.1:\(port.port) }", host: tenant.baseURL)
            await tenant.holdReplies()
            let answer = try await runUntilHeld(tenant) {
                await log.wait(for: "address=127.0.0.1:\(port.port)")
                let present = try await HTTPExchange.get("/readyz", port: port.port)
                #expect(present.status == 200)
                return Task.detached {
                    await log.wait(for: "the daemon drains")
                    let ready = try await HTTPExchange.get("/readyz", port: port.port)
                    let alive = try await HTTPExchange.get("/healthz", port: port.port)
                    await tenant.releaseReplies()
                    #expect(ready.body.contains("the daemon is shutting down"))
                    #expect((ready.status, alive.status) == (503, 200))
                    return nil
                }
            }
            #expect(answer.source == "tenant")
        }
    }

    @Test("An address that is taken keeps nobody from a token: health and the log say so, and it is tried again.")
    func taken() async throws {
        let port = try PortReservation()
        try port.listen()
        try await withStandInTenant { tenant in
            try write("metrics: { listen: 127.0.0.1:\(port.port) }", host: tenant.baseURL)
            try await run {
                let fault = "metrics.listen: 127.0.0.1:\(port.port) can't be listened on: Address already in use"
                await log.wait(for: "c.yaml:1: \(fault)")
                let token = try await ask(#"{"op":"token","subject":"ann"}"#)
                let health = try await ask(#"{"op":"health"}"#, admin: true)
                let reload = try await ask(#"{"op":"reload"}"#, admin: true)
                #expect((token.source, health.status) == ("tenant", "degraded"))
                #expect(reload.reloaded == true, "nothing has changed")
            }
        }
    }
}
