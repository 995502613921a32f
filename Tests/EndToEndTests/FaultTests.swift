import Foundation
import OperatorReplies
import StandInTenant
import TestSupport
import Testing

@Suite(
    "Faults of system calls, with the real executables",
    .serialized,
    .enabled(if: FaultInjection.isAvailable, "strace(1) is missing or may not trace")
)
struct FaultTests {
    private func isOpen(_ deployment: Deployment, _ count: Int) throws -> Bool {
        try deployment.admin().stats().connections.open == count
    }

    @Test(
        "Errors that pass by themselves reach no app: each request is answered, on old connections and new ones.",
        arguments: [
            ["epoll_wait:error=EINTR:when=1+2", "recvfrom,read,recvmsg:error=EINTR:when=1+3"],
            ["sendto,write,writev,sendmsg:error=EINTR:when=1+3"], ["accept4:error=EINTR:when=1..2"],
            ["accept4:error=ECONNABORTED:when=1..2"], ["accept4:error=EAGAIN:when=1..2"],
            ["accept4:error=EMFILE:when=1..2"], ["accept4:error=ENFILE:when=1..2"],
            ["accept4:error=ENOBUFS:when=1..2"], ["accept4:error=ENOMEM:when=1..2"], ["sendto:error=EAGAIN:when=1+2"],
            ["sendto:error=ENOBUFS:when=1+2"], ["sendto:error=ENOMEM:when=1+2"], ["madvise,mlock:error=ENOMEM"],
        ]
    )
    func passes(faults: [String]) async throws {
        let deployment = try await Deployment.start()
        let old = try deployment.requests()
        _ = try old.ask(Deployment.line("ann"))
        let injection = try FaultInjection(faults, into: deployment.daemon)
        for number in 0..<4 {
            #expect(try old.ask(Deployment.line("ann"))["source"] as? String == "cache")
            #expect(try old.ask(Deployment.line("old-\(number)"))["source"] as? String == "tenant")
            #expect(try deployment.token("new-\(number)")["source"] as? String == "tenant")
        }
        #expect(try old.ask(Deployment.line("ann"))["source"] as? String == "cache")
        try await deployment.stop()
        injection.end()
    }

    @Test("If the kernel has no memory left, a mint ends as overload, and cached tokens are served.")
    func memory() async throws {
        let deployment = try await Deployment.start()
        let client = try deployment.requests()
        _ = try client.ask(Deployment.line("ann"))
        let injection = try FaultInjection(["mmap:error=ENOMEM"], into: deployment.daemon)
        for number in 0..<3 {
            let reply = try client.ask(Deployment.line("token-bytes-16384:\(number)"))
            #expect(reply["error"] as? String == "overloaded", "\(reply["error"] ?? "a token")")
        }
        #expect(try client.ask(Deployment.line("ann"))["source"] as? String == "cache")
        injection.end()
        #expect(try client.ask(Deployment.line("token-bytes-16384:9"))["source"] as? String == "tenant")
        try await deployment.stop()
    }

    @Test(
        "A connection that the event loop can't register is closed and no longer counted.",
        arguments: ["ENOSPC", "ENOMEM"]
    )
    func registration(error: String) async throws {
        let deployment = try await Deployment.start()
        let old = try deployment.requests()
        _ = try old.ask(Deployment.line("ann"))
        let injection = try FaultInjection(["epoll_ctl:error=\(error):when=1..3"], into: deployment.daemon)
        for _ in 0..<3 {
            let lost = try deployment.requests()
            // It may be closed before anything could be sent.
            try? lost.send(Deployment.line("ann"))
            #expect(try lost.line() == nil)
        }
        injection.end()
        #expect(try old.ask(Deployment.line("ann"))["source"] as? String == "cache")
        // The connection that asks is the other one.
        #expect(try isOpen(deployment, 2))
        try await deployment.stop()
    }

    @Test("Without free descriptors no tenant is reached and no configuration is read. Both are reported, and pass.")
    func descriptors() async throws {
        let deployment = try await Deployment.start()
        let (client, admin) = (try deployment.requests(), try deployment.admin())
        _ = try admin.ask(#"{"op":"hello"}"#)
        let injection = try FaultInjection(["socket,openat:error=EMFILE"], into: deployment.daemon)
        #expect(try client.ask(Deployment.line("ann"))["error"] as? String == "unavailable")
        #expect(try admin.ask(#"{"op":"reload"}"#)["error"] as? String == "invalid_configuration")
        injection.end()
        #expect(try admin.ask(#"{"op":"reload"}"#)["reloaded"] as? Bool == true)
        #expect(try client.ask(Deployment.line("bob"))["source"] as? String == "tenant")
        try await deployment.stop()
    }

    @Test("A service manager that can't be given the file of persisted tokens is offered it again.")
    func descriptorStore() async throws {
        let tenant = try await StandInTenant.start()
        let directory = try TemporaryDirectory()
        try directory.write(tenant.clientSecret, to: "secret")
        let daemon = try Program(
            "tokencached",
            [
                "--config", try directory.write(Deployment.configuration(tenant, directory), to: "c.yaml"), "--socket",
                directory.path("r"), "--admin-socket", directory.path("a"),
            ],
            environment: ["NOTIFY_SOCKET": directory.path("n"), "FDSTORE": "4"]
        )
        _ = try #require(daemon.waitForOutput("it is offered again"), "\(daemon.written)")
        let manager = try ManagerSocket(directory.path("n"))
        #expect(manager.wait(for: "FDSTORE=1\nFDNAME=tokens-a"))
        daemon.signal(SIGTERM)
        #expect(manager.wait(for: "STOPPING=1"))
        #expect(daemon.waitForEnd() == 0)
        try await tenant.stop()
    }
}
