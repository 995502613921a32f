import DaemonRuntime
import Foundation
import OperatorReplies
import StandInTenant
import TestSupport
import Testing
import TokenCache
import TokenProtocol

@Suite("Tokens that are minted from prefetch files", .timeLimit(.minutes(3)))
struct PrefetchFilesTests {
    private func stats(_ daemon: TestDaemon) async -> String {
        let prefetch = await daemon.frontend.cache.stats(now: .now).tenants["main"]?.prefetch
        return prefetch.map { "\($0.left) \($0.minted) \($0.cached) \($0.denied) \($0.failed)" } ?? "none"
    }

    /// Runs a daemon whose prefetch file has these lines, and reads it.
    private func run(
        _ lines: String,
        every: String = "0",
        _ body: @Sendable @escaping (TestDaemon) async throws -> Void
    ) async throws {
        try await TestDaemon.run { daemon in
            try daemon.directory.write(lines, to: "subjects")
            try daemon.configure(options: Self.options(daemon, every: every))
            #expect(await daemon.reload.perform() == .reloaded)
            await daemon.components.prefetchFiles.readDue()
            try await body(daemon)
        }
    }

    private static func options(_ daemon: TestDaemon, _ file: String = "subjects", every: String = "0") -> String {
        "prefetch: { file: \(daemon.directory.path(file)), every: \(every) }"
    }

    @Test("The subjects of the file are cached before an app asks for them, and the log has both ends of the round.")
    func minted() async throws {
        try await run("ann\n# bob\nzoë\nann\n") { daemon in
            await daemon.log.wait(for: "the users of the prefetch file are done")
            #expect(daemon.log.count("the users of the prefetch file are minted ahead count=3") == 1)
            #expect(await stats(daemon) == "0 2 1 0 0")
            var sources: [String?] = []
            for subject in ["ann", "zoë", "bob"] { sources.append(try await daemon.token(subject).source) }
            #expect(sources == ["cache", "cache", "tenant"])
        }
    }

    @Test("A reload that doesn't change the setting begins nothing, and one with another file begins anew.")
    func reloads() async throws {
        try await run("ann\n") { daemon in
            await daemon.log.wait(for: "the users of the prefetch file are done")
            try daemon.configure("cache: { idle_ttl: 1m }", options: Self.options(daemon))
            #expect(await daemon.reload.perform() == .reloaded)
            await daemon.components.prefetchFiles.readDue()
            #expect(daemon.log.count("are minted ahead") == 1)
            try daemon.directory.write("bob\n", to: "others")
            try daemon.configure(options: Self.options(daemon, "others"))
            #expect(await daemon.reload.perform() == .reloaded)
            await daemon.components.prefetchFiles.readDue()
            #expect(daemon.log.count("are minted ahead") == 2)
        }
    }

    @Test("A file is read again after its interval.")
    func interval() async throws {
        try await run("ann\n", every: "1m") { daemon in
            await daemon.log.wait(for: "the users of the prefetch file are done")
            await daemon.components.prefetchFiles.readDue(now: .now + .seconds(30))
            #expect(daemon.log.count("are minted ahead") == 1)
            await daemon.components.prefetchFiles.readDue(now: .now + .seconds(120))
            #expect(daemon.log.count("are minted ahead") == 2)
        }
    }

    @Test("A file with a fault mints nothing. The log says so once, and health as long as it is configured.")
    func fault() async throws {
        try await run("ann\nb\tb\n", every: "1m") { daemon in
            let path = daemon.directory.path("subjects")
            #expect(daemon.log.count("the prefetch file can't be used, and nothing is minted from it") == 1)
            let check = await daemon.frontend.health.checks.first { $0.name == "prefetch" }
            #expect(check?.status == .degraded)
            #expect(check?.description == "\(path):2: it has a control character")
            await daemon.components.prefetchFiles.readDue(now: .now + .seconds(120))
            #expect(daemon.log.count("the prefetch file can't be used") == 1)
            try daemon.configure()
            #expect(await daemon.reload.perform() == .reloaded)
            #expect(await daemon.frontend.health.checks.contains { $0.name == "prefetch" } == false)
        }
    }

    @Test("A file that is corrected is used at its next reading.")
    func corrected() async throws {
        try await run("b\tb\n", every: "1m") { daemon in
            try daemon.directory.write("bob\n", to: "subjects")
            await daemon.components.prefetchFiles.readDue(now: .now + .seconds(120))
            await daemon.log.wait(for: "the users of the prefetch file are done")
            #expect(await daemon.frontend.health.checks.contains { $0.name == "prefetch" } == false)
            #expect(try await daemon.token("bob").source == "cache")
        }
    }

    @Test("A round that a reload takes away goes on no more.")
    func removed() async throws {
        let lines = (0..<1_000).map { "user\($0)\n" }.joined()
        try await run(lines) { daemon in
            try daemon.configure()
            #expect(await daemon.reload.perform() == .reloaded)
            let tenants = await daemon.frontend.cache.stats(now: .now).tenants
            #expect(tenants["main"]?.queued.prefetches == 0)
            #expect(daemon.log.count("are done") == 0)
        }
    }
}
