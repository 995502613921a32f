import Foundation
import StandInTenant
import TestSupport
import Testing

@Suite("Reloads under load", .serialized)
struct ReloadTests {
    /// A thread that sends requests on one connection, and the errors that it gets.
    // `@unchecked Sendable`, because its variables are not protected. It is sound: only the thread writes them, and they
    // are read after its end.
    private final class Flood: @unchecked Sendable {
        private(set) var errors: Set<String> = []
        private let ended = DispatchSemaphore(value: 0)

        /// Asks for tokens of tenants that are being added, until there is one of the last tenant.
        init(_ path: String, tenants: [String]) throws {
            let client = try LineClient(path)
            Thread.detachNewThread { [self] in
                for tenant in tenants {
                    while let reply = try? client.ask(Deployment.line("ann", #""tenant":"\#(tenant)""#)) {
                        guard let error = reply["error_description"] as? String else { break }
                        errors.insert(error)
                    }
                }
                ended.signal()
            }
        }

        /// Waits for the thread.
        ///
        /// Returns true if all tenants were there in the end.
        func wait() -> Bool { ended.wait(timeout: .now() + 60) == .success }
    }

    @Test("A tenant that is being added is either unknown or served. No part of the daemon knows it before another.")
    func added() async throws {
        let deployment = try await Deployment.start()
        let original = try String(contentsOfFile: deployment.configurationPath, encoding: .utf8)
        let main = original[(original.range(of: "  main:\n")?.upperBound ?? original.endIndex)...]
        let tenants = (0..<20).map { "added\($0)" }
        let flood = try Flood(deployment.requestsPath, tenants: tenants)
        let admin = try deployment.admin()
        var configuration = original.replacing("tenants:\n", with: "default_tenant: main\ntenants:\n")
        for tenant in tenants {
            configuration += "  \(tenant):\n\(main)"
            try deployment.directory.write(configuration, to: "c.yaml")
            #expect(try admin.ask(#"{"op":"reload"}"#)["reloaded"] as? Bool == true)
        }
        #expect(flood.wait())
        #expect(flood.errors.isSubset(of: ["no tenant of that name is configured"]))
        try await deployment.stop()
    }

    @Test("A logout that waits when its tenant moves is answered, recorded, and never sent to the new host.")
    func moved() async throws {
        let elsewhere = try await StandInTenant.start()
        let deployment = try await Deployment.start(
            settings: "audit: { to: stderr }",
            options: "rate: { per_minute: 1, burst: 1 }"
        )
        #expect(try deployment.token("ann")["source"] as? String == "tenant")
        let waits = try deployment.requests()
        // The bucket is empty for a minute, so the request can't wait for the tenant, but the revocation stays queued.
        #expect(try waits.ask(#"{"op":"revoke","subject":"ann"}"#)["upstream"] as? Bool == false)
        let text = try String(contentsOfFile: deployment.configurationPath, encoding: .utf8)
        try deployment.directory.write(text.replacing(deployment.tenant.baseURL, with: elsewhere.baseURL), to: "c.yaml")
        try deployment.directory.write(elsewhere.clientSecret + "\n", to: "secret")
        #expect(try deployment.admin().ask(#"{"op":"reload"}"#)["reloaded"] as? Bool == true)
        #expect(try deployment.token("bob")["source"] as? String == "tenant", "the new one has a bucket of its own")
        #expect(deployment.daemon.waitForOutput(#""event":"revocation","outcome":"dropped""#) != nil)
        try await deployment.stop()
        #expect(await elsewhere.counters.revocations == 0)
        try await elsewhere.stop()
    }
}
