import Foundation
import Glibc
import OperatorReplies
import StandInTenant
import TestSupport
import Testing

@Suite("Start, reload and end of the real executables", .serialized)
struct LifecycleTests {
    @Test("A signal during the start ends the daemon with 0, and leaves no socket.", arguments: 0..<5)
    func earlySignal(number: Int) async throws {
        let tenant = try await StandInTenant.start(.init())
        let directory = try TemporaryDirectory()
        try directory.write(tenant.clientSecret, to: "secret")
        try directory.write(Deployment.configuration(tenant, directory), to: "c.yaml")
        let sockets = ["--socket", directory.path("r"), "--admin-socket", directory.path("a")]
        let daemon = try Program("tokencached", ["--config", directory.path("c.yaml")] + sockets)
        // Right after the socket is there, which is long before the daemon serves it.
        let end = ContinuousClock.now + TestTimeout.duration
        while !FileManager.default.fileExists(atPath: directory.path("r")) {
            try #require(ContinuousClock.now < end, "\(daemon.written)")
        }
        daemon.signal(number == 0 ? SIGHUP : SIGTERM)
        if number == 0 { daemon.signal(SIGTERM) }
        #expect(daemon.waitForEnd() == 0, "\(daemon.written)")
        #expect(!FileManager.default.fileExists(atPath: directory.path("r")))
        #expect(!FileManager.default.fileExists(atPath: directory.path("a")))
        try await tenant.stop()
    }

    @Test("The tool fails and says so if its answer can't be written, but not if the reader has gone.")
    func unwritable() async throws {
        let deployment = try await Deployment.start()
        let tool = Program.directory.appending(path: "tokencachectl").path
        let call = "'\(tool)' stats --json --admin-socket '\(deployment.adminPath)'"
        let (status, output) = try Program.run("/bin/sh", ["-c", call + " >/dev/full"])
        #expect(status == 74 && output.contains("can't be written"), "\(output)")
        let (piped, said) = try Program.run("/bin/bash", ["-c", "\(call) | true; exit ${PIPESTATUS[0]}"])
        #expect([0, 74].contains(piped) && said.isEmpty, "\(said)")
        try await deployment.stop()
    }

    @Test(
        "--check-config checks the things that the configuration names. A start with the same fault ends with 78, too."
    )
    func namedThings() throws {
        let directory = try TemporaryDirectory()
        let secret = try directory.write("secret", to: "secret", mode: 0o600)
        func run(_ settings: String, _ tenant: String = "", check: Bool = true) throws -> (Int32, String) {
            let text = """
                \(settings)
                tenants:
                  main:
                    host: https://tenant.example
                    client_id: x
                    client_secret: { file: \(secret) }
                    \(tenant)
                """
            let path = try directory.write(text, to: "c.yaml")
            let sockets = ["--socket", directory.path("r"), "--admin-socket", directory.path("a")]
            return try Program.run("tokencached", ["--config", path] + (check ? ["--check-config"] : sockets))
        }
        let none = directory.path("none/x")
        // Nobody writes to it, so opening it would block forever.
        #expect(unsafe mkfifo(directory.path("pipe"), 0o600) == 0)
        for check in [true, false] {
            let (status, output) = try run("", "ca_file: \(directory.path("pipe"))", check: check)
            #expect(status == 78 && output.contains("can't be read as certificates"), "\(output)")
        }
        for (settings, tenant, sentence) in [
            ("", "ca_file: \(none)", "c.yaml:7: tenants.main.ca_file: \(none) can't be read as certificates"),
            ("audit: { to: \(none) }", "", "c.yaml:1: audit.to: \(none)"),
            (
                "sockets: { requests: { path: /x, group: no-such-group } }", "",
                "no group"
            ),
        ] {
            for check in [true, false] {
                let (status, output) = try run(settings, tenant, check: check)
                #expect(status == 78, "\(output)")
                #expect(output.contains(sentence), "\(output)")
            }
        }
        for (settings, note) in [
            ("access: []", "access has no rules"), ("access: [{ subjects: [\"*\"] }]", "access[0] names no users"),
            ("sockets: { requests: { path: /x, mode: \"0666\" } }", "is open to every user of this machine"),
        ] {
            let (status, output) = try run(settings)
            #expect(status == 0 && output.contains(note) && output.contains("no fault found"), "\(output)")
        }
    }

    @Test("A wrong configuration is rejected with each fault and its line. --check-config does only that.")
    func wrongConfiguration() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(
            "cach: {}\ntenants:\n  main: { host: ftp://x, client_id: a, client_secret: { file: /none } }\n",
            to: "c.yaml"
        )
        for arguments in [["--config", path], ["--config", path, "--check-config"]] {
            let (status, output) = try Program.run("tokencached", arguments)
            #expect(status == 78)
            #expect(output.contains("c.yaml:1: cach: is not a known key (did you mean 'cache'?)"))
            #expect(output.contains("c.yaml:3: tenants.main.host: should be https://host"))
        }
        let right = try directory.write(
            "tenants:\n  main: { host: https://x, client_id: a, client_secret: { file: \(path) } }\n",
            to: "d.yaml"
        )
        let missing = try directory.write(
            "tenants:\n  main: { host: https://x, client_id: a, client_secret: { file: /none } }\n",
            to: "e.yaml"
        )
        #expect(
            try Program.run("tokencached", ["--config", missing, "--check-config"]).output.contains(
                "e.yaml:2: tenants.main.client_secret: /none can't be read"
            )
        )
        // A configuration as its own secret has several lines, which no secret has.
        #expect(try Program.run("tokencached", ["--config", right, "--check-config"]).status == 78)
        try directory.write("secret", to: "secret")
        let good = try directory.write(
            "tenants:\n  main: { host: https://x, client_id: a, client_secret: { file: \(directory.path("secret")) } }\n",
            to: "f.yaml"
        )
        let (status, output) = try Program.run("tokencached", ["--config", good, "--check-config"])
        #expect(status == 0)
        #expect(output.contains("no fault found"))
    }

    @Test("A running daemon's socket is not taken over, a killed one's is replaced, and a drained one's is gone.")
    func sockets() async throws {
        let deployment = try await Deployment.start()
        let second = try Program.run(
            "tokencached",
            [
                "--config", deployment.configurationPath, "--socket", deployment.requestsPath, "--admin-socket",
                deployment.directory.path("b"),
            ]
        )
        #expect(second.status == 1)
        #expect(second.output.contains("another daemon is listening there"))
        #expect(try deployment.token("ann")["access_token"] != nil)
        deployment.daemon.signal(SIGKILL)
        _ = deployment.daemon.waitForEnd()
        let third = try Program(
            "tokencached",
            [
                "--config", deployment.configurationPath, "--socket", deployment.requestsPath, "--admin-socket",
                deployment.adminPath,
            ]
        )
        #expect(third.waitForOutput("the daemon serves") != nil)
        #expect(try deployment.token("ann")["source"] as? String == "tenant")
        third.signal(SIGINT)
        #expect(third.waitForEnd() == 0)
        #expect(!FileManager.default.fileExists(atPath: deployment.requestsPath))
        #expect(!FileManager.default.fileExists(atPath: deployment.adminPath))
        try await deployment.tenant.stop()
    }

    @Test("SIGTERM ends the daemon after the requests under way have been answered.")
    func drain() async throws {
        let deployment = try await Deployment.start()
        await deployment.tenant.holdReplies()
        let (busy, idle) = (try deployment.requests(), try deployment.requests())
        _ = try idle.ask(#"{"op":"hello"}"#)
        try busy.send(Deployment.line("ann", #""id":1"#))
        try await deployment.tenant.waitForHeldReplies(count: 1)
        deployment.daemon.signal(SIGTERM)
        #expect(try idle.line() == nil, "an idle connection is closed at once")
        #expect(try busy.ask(#"{"op":"hello","id":2}"#)["error"] as? String == "shutting_down")
        await deployment.tenant.releaseReplies()
        #expect(try busy.reply()["access_token"] != nil)
        #expect(try busy.line() == nil)
        #expect(deployment.daemon.waitForEnd() == 0)
        try await deployment.tenant.stop()
    }

    @Test("A reload applies a correct configuration, and rejects a wrong one with its faults. SIGHUP does the same.")
    func reload() async throws {
        let deployment = try await Deployment.start()
        _ = try deployment.token("ann")
        let tenant = deployment.tenant
        try deployment.directory.write("unknown: 1", to: "c.yaml")
        let refused = try deployment.admin().ask(#"{"op":"reload"}"#)
        #expect(refused["error"] as? String == "invalid_configuration")
        #expect((refused["error_description"] as? String)?.contains("c.yaml:1: unknown: is not a known key") == true)
        #expect(try deployment.token("ann")["source"] as? String == "cache")
        try deployment.directory.write(
            Deployment.configuration(tenant, deployment.directory, options: "scope: user_default admin_classic"),
            to: "c.yaml"
        )
        deployment.daemon.signal(SIGHUP)
        #expect(deployment.daemon.waitForOutput("the configuration was read again") != nil)
        #expect(try deployment.token("ann", #""scope":"user_default""#)["source"] as? String == "cache")
        #expect(try deployment.token("ann", #""scope":"admin_classic""#)["source"] as? String == "tenant")
        try deployment.directory.write(
            Deployment.configuration(tenant, deployment.directory).replacing(
                "client_id: \(tenant.clientID)",
                with: "client_id: other"
            ),
            to: "c.yaml"
        )
        #expect(try deployment.admin().ask(#"{"op":"reload"}"#)["reloaded"] as? Bool == true)
        #expect(try deployment.admin().stats().entries == 0, "another client's tokens are another client's")
        deployment.daemon.signal(SIGTERM)
        #expect(deployment.daemon.waitForEnd() == 0)
        try await tenant.stop()
    }

    @Test("A daemon with closed standard descriptors has /dev/null there, so that no socket gets their numbers.")
    func closedDescriptors() async throws {
        let tenant = try await StandInTenant.start()
        let directory = try TemporaryDirectory()
        try directory.write(tenant.clientSecret, to: "secret")
        let configuration = try directory.write(Deployment.configuration(tenant, directory), to: "c.yaml")
        let notifications = try ManagerSocket(directory.path("n"))
        let daemon = try Program(
            "/bin/sh",
            [
                "-c", #"exec "$0" "$@" <&- 2>&-"#, Program.directory.appending(path: "tokencached").path,
                "--config", configuration, "--socket", directory.path("r"), "--admin-socket", directory.path("a"),
            ],
            environment: ["NOTIFY_SOCKET": notifications.path]
        )
        #expect(notifications.wait(for: "READY=1"))
        for number in [0, 2] {
            let path = "/proc/\(daemon.identifier)/fd/\(number)"
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path) == "/dev/null")
        }
        #expect(try LineClient(directory.path("r")).ask(Deployment.line("ann"))["access_token"] != nil)
        daemon.signal(SIGTERM)
        #expect(daemon.waitForEnd() == 0)
        try await tenant.stop()
    }

    @Test("Both sockets are taken from socket activation by their names, in either order, and readiness is announced.")
    func activation() async throws {
        for names in ["requests:admin", "admin:requests"] {
            let tenant = try await StandInTenant.start()
            let directory = try TemporaryDirectory()
            try directory.write(tenant.clientSecret, to: "secret")
            let configuration = try directory.write(Deployment.configuration(tenant, directory), to: "c.yaml")
            let notifications = try ManagerSocket(directory.path("n"))
            let paths = names.split(separator: ":").map { directory.path(String($0)) }
            let daemon = try Program(
                "/usr/bin/systemd-socket-activate",
                [
                    "-l", paths[0], "-l", paths[1], "--fdname=\(names)", "-E", "NOTIFY_SOCKET=\(notifications.path)",
                    "-E", "WATCHDOG_USEC=2000000", Program.directory.appending(path: "tokencached").path, "--config",
                    configuration,
                ]
            )
            #expect(daemon.waitForOutput("Listening on") != nil)
            #expect(try LineClient(directory.path("requests")).ask(Deployment.line("ann"))["access_token"] != nil)
            #expect(try LineClient(directory.path("admin")).ask(#"{"op":"stats"}"#)["entries"] as? Int == 1)
            #expect(
                try LineClient(directory.path("requests")).ask(#"{"op":"stats"}"#)["error"] as? String
                    == "unsupported_op"
            )
            #expect(notifications.wait(for: "READY=1"))
            #expect(notifications.wait(for: "WATCHDOG=1"))
            daemon.signal(SIGHUP)
            #expect(notifications.wait(for: "RELOADING=1\nMONOTONIC_USEC="))
            #expect(notifications.wait(for: "READY=1"))
            daemon.signal(SIGTERM)
            #expect(notifications.wait(for: "STOPPING=1"))
            #expect(daemon.waitForEnd() == 0)
            try await tenant.stop()
        }
    }

    @Test(
        "Sockets with unknown names, or in a wrong number, keep the daemon from starting.",
        arguments: ["requests:other", "requests", "requests:requests"]
    )
    func wrongActivation(names: String) async throws {
        let directory = try TemporaryDirectory()
        try directory.write("secret", to: "secret")
        let configuration = try directory.write(
            "tenants:\n  main: { host: https://x, client_id: a, client_secret: { file: \(directory.path("secret")) } }\n",
            to: "c.yaml"
        )
        let daemon = try Program(
            "/usr/bin/systemd-socket-activate",
            [
                "-l", directory.path("1"), "-l", directory.path("2"), "--fdname=\(names)",
                Program.directory.appending(path: "tokencached").path, "--config", configuration,
            ]
        )
        #expect(daemon.waitForOutput("Listening on") != nil)
        _ = try LineClient(directory.path("1"))
        #expect(daemon.waitForOutput("the daemon can't serve") != nil)
        #expect(daemon.waitForEnd() == 1)
    }

    @Test("The operator's tool prints bare tokens and tables, and its exit status shows the kind of failure.")
    func control() async throws {
        let deployment = try await Deployment.start()
        let token = try deployment.control("token", "ann")
        #expect(token.status == 0)
        #expect(await deployment.tenant.isLive(token.output.trimmingCharacters(in: .newlines)))
        #expect(try deployment.control("token", "ann", "--json").output.contains(#""source":"cache""#))
        #expect(try deployment.control("token", "unknown:a").status == 77)
        #expect(try deployment.control("token", "status-500:a").status == 75)
        #expect(try deployment.control("token", "no-token:a").status == 76)
        #expect(try deployment.control("token", "ann", "--tenant", "none").status == 78)
        #expect(try deployment.control("token", "").status == 65)
        #expect(try deployment.control("token").status == 64)
        #expect(try deployment.control("stats").output.contains("tokens       1,"))
        #expect(try deployment.control("stats", "--json").output.contains(#""entries":1"#))
        let entries = try deployment.control("entries").output
        #expect(entries.contains("ann") && entries.contains("fresh"))
        #expect(try deployment.control("evict", "ann").output == "evicted\n")
        #expect(try deployment.control("flush").output == "0 tokens dropped\n")
        #expect(try deployment.control("reload").output == "reloaded\n")
        try deployment.directory.write("a: 1\nb: 2\n", to: "c.yaml")
        let refused = try deployment.control("reload")
        #expect(refused.status == 78)
        #expect(refused.output.split(separator: "\n").count == 4, "two faults and what to do")
        #expect(try deployment.control("stats", "--admin-socket", "/nonexistent").status == 69)
        try await deployment.stop()
    }
}
