import DaemonRuntime
import Foundation
import OperatorReplies
import StandInTenant
import TestSupport
import Testing
import TokenCache
import TokenProtocol

@Suite("Reloads of tenants_directory", .timeLimit(.minutes(3)))
struct TenantsDirectoryReloadTests {
    /// Runs a daemon with the tenants `one` and `two` in a directory.
    private func run(_ body: @Sendable @escaping (TestDaemon) async throws -> Void) async throws {
        try await TestDaemon.run { daemon in
            let path = daemon.directory.path("d")
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            try daemon.directory.write("tenants_directory: \(path)\ndefault_tenant: one\n", to: "c.yaml")
            for name in ["one", "two"] { try Self.write(daemon, name) }
            #expect(await daemon.reload.perform() == .reloaded)
            try await body(daemon)
        }
    }

    private static func write(_ daemon: TestDaemon, _ name: String, _ options: String = "") throws {
        let text = """
            host: \(daemon.tenant.baseURL)
            client_id: \(daemon.tenant.clientID)
            client_secret: { file: \(daemon.directory.path("secret")) }
            \(options)
            """
        try daemon.directory.write(text, to: "d/\(name).yaml")
    }

    private func token(_ daemon: TestDaemon, _ tenant: String) async throws -> String? {
        let answer = try await daemon.token("ann", #""tenant":"\#(tenant)""#)
        return answer.source ?? answer.error
    }

    @Test("A file that is added is a tenant, one that is removed is none, and the others keep their tokens.")
    func addedAndRemoved() async throws {
        try await run { daemon in
            for tenant in ["one", "two"] { #expect(try await token(daemon, tenant) == "tenant") }
            try Self.write(daemon, "three")
            try FileManager.default.removeItem(atPath: daemon.directory.path("d/two.yaml"))
            #expect(await daemon.reload.perform() == .reloaded)
            #expect(try await token(daemon, "one") == "cache")
            #expect(try await token(daemon, "two") == "unknown_tenant")
            #expect(try await token(daemon, "three") == "tenant")
        }
    }

    @Test("A changed file changes that tenant alone: a client of another id starts with nothing.")
    func changed() async throws {
        try await run { daemon in
            for tenant in ["one", "two"] { #expect(try await token(daemon, tenant) == "tenant") }
            try Self.write(daemon, "two", "rate: { per_minute: 7, burst: 3 }")
            #expect(await daemon.reload.perform() == .reloaded)
            for tenant in ["one", "two"] { #expect(try await token(daemon, tenant) == "cache") }
            let rates = await daemon.frontend.cache.stats(now: .now).tenants.mapValues(\.ratePerMinute)
            #expect(rates == ["one": 80, "two": 7])
        }
    }

    @Test("A tenant that moves from the main file into the directory keeps its tokens.")
    func moved() async throws {
        try await TestDaemon.run { daemon in
            #expect(try await token(daemon, "main") == "tenant")
            let path = daemon.directory.path("d")
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            try Self.write(daemon, "main")
            try daemon.directory.write("tenants_directory: \(path)\n", to: "c.yaml")
            #expect(await daemon.reload.perform() == .reloaded)
            #expect(try await token(daemon, "main") == "cache")
        }
    }

    @Test("A file with a fault keeps the old configuration in force, and the reply names that file and line.")
    func fault() async throws {
        try await run { daemon in
            #expect(try await token(daemon, "one") == "tenant")
            try Self.write(daemon, "two", "timeout: no")
            try Self.write(daemon, "three", "colour: red")
            let description = try #require(await daemon.reload.perform().error?.description)
            let path = daemon.directory.path("d")
            let start = "\(path)/three.yaml:4: colour: is not a known key; \(path)/two.yaml:4: timeout:"
            #expect(description.hasPrefix(start))
            #expect(try await token(daemon, "one") == "cache")
            #expect(try await token(daemon, "three") == "unknown_tenant")
        }
    }

    @Test("A secret of a tenant's file that can't be read is a fault of that file.")
    func secret() async throws {
        try await run { daemon in
            let text = "host: https://t.example\nclient_id: c\nclient_secret: { file: /none }\n"
            try daemon.directory.write(text, to: "d/two.yaml")
            let description = try #require(await daemon.reload.perform().error?.description)
            let path = daemon.directory.path("d/two.yaml")
            #expect(description.hasPrefix("\(path):3: client_secret: /none can't be read"), "\(description)")
        }
    }

    @Test("A hold and the callers that wait for one tenant outlast a reload that changes the others.")
    func untouched() async throws {
        try await run { daemon in
            try Self.write(daemon, "one", "max_concurrent: 1\nrate: { per_minute: 1, burst: 1 }")
            #expect(await daemon.reload.perform() == .reloaded)
            #expect(try await token(daemon, "one") == "tenant")
            async let waiting = daemon.token("bob", #""tenant":"one","timeout":120"#)
            let callers = { await daemon.frontend.cache.stats(now: .now).tenants["one"]?.queued.callers }
            while await callers() != 1 { await Task.yield() }
            try Self.write(daemon, "three")
            try FileManager.default.removeItem(atPath: daemon.directory.path("d/two.yaml"))
            #expect(await daemon.reload.perform() == .reloaded)
            #expect(await callers() == 1)
            try Self.write(daemon, "one", "max_concurrent: 1\nrate: { per_minute: 6000, burst: 10 }")
            #expect(await daemon.reload.perform() == .reloaded)
            #expect(try await waiting.source == "tenant")
        }
    }

    @Test("The reply to a reload names up to a hundred faults, and counts the others.")
    func manyFaults() async throws {
        try await run { daemon in
            for number in 100..<250 { try daemon.directory.write("[]", to: "d/t\(number).yaml") }
            let description = try #require(await daemon.reload.perform().error?.description)
            #expect(description.split(separator: "; ").count == 101)
            #expect(description.hasSuffix("and 50 more: see tokencached --check-config"))
        }
    }
}
