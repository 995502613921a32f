import Foundation
import Glibc
import StandInTenant
import TestSupport
import Testing

@Suite("The examination of an installation, with the real executables", .serialized)
struct DoctorTests {
    private struct Finding: Decodable {
        let check: String
        let subject: String?
        let status: String
        let found: String
        let advice: String?
    }

    private struct Diagnosis: Decodable {
        let status: String
        let findings: [Finding]

        func finding(_ check: String, _ subject: String? = nil) throws -> Finding {
            let finding = findings.first { $0.check == check && (subject == nil || $0.subject == subject) }
            return try #require(finding, "there should be a finding of \(check): \(findings)")
        }

        /// The checks that have failed, in order.
        var failed: [String] { findings.filter { $0.status == "failed" }.map(\.check) }
    }

    private func examine(_ deployment: Deployment, _ arguments: String...) throws -> (status: Int32, Diagnosis) {
        let (status, output) = try Program.run(
            "tokencachectl",
            ["doctor", "--json", "--config", deployment.configurationPath] + arguments,
            environment: [
                "TOKENCACHED_SOCKET": deployment.requestsPath, "TOKENCACHED_ADMIN_SOCKET": deployment.adminPath,
            ]
        )
        #expect(!output.contains(deployment.tenant.clientSecret))
        return (status, try JSONDecoder().decode(Diagnosis.self, from: Data(output.utf8)))
    }

    private func stop(_ deployment: Deployment) async throws {
        deployment.daemon.signal(SIGTERM)
        #expect(deployment.daemon.waitForEnd() == 0)
        try await deployment.tenant.stop()
    }

    @Test("An installation that works has no failure, and the token that was asked for is not shown.")
    func well() async throws {
        let deployment = try await Deployment.start(.init(tls: .valid))
        let (status, diagnosis) = try examine(deployment, "--subject", "ann")
        #expect(status == 0, "\(diagnosis.findings)")
        for check in ["configuration", "secret", "socket", "daemon", "name", "connection", "certificate", "http"] {
            #expect(try diagnosis.finding(check).status == "ok", "\(diagnosis.findings)")
        }
        #expect(try diagnosis.finding("connection").found.hasPrefix("connected: 127.0.0.1 in "))
        #expect(try diagnosis.finding("certificate").found.contains("TLS 1.3"))
        #expect(try diagnosis.finding("clock").status == "ok")
        #expect(try diagnosis.finding("token").found == "ann gets a token: the tenant minted it now, 359 min left")
        #expect(try diagnosis.finding("health").found == "the daemon finds nothing wrong")
        #expect(await deployment.tenant.counters.mints == 1)
        let token = try #require(try deployment.token("ann")["access_token"] as? String)
        let text = try deployment.control("doctor", "--config", deployment.configurationPath, "--subject", "ann")
        #expect(text.status == 0)
        #expect(text.output.contains("from the cache") && !text.output.contains(token))
        #expect(text.output.contains("\nnothing has failed; "))
        try await deployment.stop()
    }

    @Test("A secret that others can read fails, with the command that mends it.")
    func openSecret() async throws {
        let deployment = try await Deployment.start()
        let path = deployment.directory.path("secret")
        #expect(unsafe chmod(path, 0o644) == 0)
        let (status, diagnosis) = try examine(deployment)
        #expect(status == 1)
        #expect(diagnosis.failed == ["secret"])
        let finding = try diagnosis.finding("secret", "main")
        #expect(finding.found.contains("can be read or changed by others: its mode is 644"))
        #expect(finding.advice?.contains("chmod 600 \(path)") == true)
        try await stop(deployment)
    }

    @Test("A configuration that others can change is a warning.")
    func configurationFile() async throws {
        let deployment = try await Deployment.start()
        let path = deployment.configurationPath
        #expect(try examine(deployment).1.finding("file").status == "ok")
        #expect(unsafe chmod(path, 0o646) == 0)
        let (status, diagnosis) = try examine(deployment)
        let finding = try diagnosis.finding("file")
        #expect(status == 0 && finding.status == "warning")
        #expect(finding.found == "other users can change \(path)")
        #expect(finding.advice == "chown root: \(path); chmod go-w \(path)")
        try await stop(deployment)
    }

    @Test("The directory of tenants, its files and prefetch files are examined, and each fault is reported once.")
    func tenantsDirectory() async throws {
        let deployment = try await Deployment.start()
        let directory = deployment.directory
        let (tenants, prefetch) = (directory.path("tenants.d"), try directory.write("ann", to: "p", mode: 0o644))
        #expect(unsafe mkdir(tenants, 0o755) == 0)
        let secret = directory.path("secret")
        for name in ["one", "two"] {
            let tenant = """
                host: \(deployment.tenant.baseURL)
                client_id: \(deployment.tenant.clientID)
                client_secret: { file: \(secret) }
                prefetch: { file: \(prefetch) }
                """
            try directory.write(tenant, to: "tenants.d/\(name).yaml", mode: 0o644)
        }
        try directory.write("tenants_directory: \(tenants)\ndefault_tenant: one\n", to: "c.yaml")
        func files() throws -> [Finding] { try examine(deployment).1.findings.filter { $0.check == "file" } }
        #expect(try files().map(\.status) == ["ok", "ok", "ok", "ok"])
        #expect(unsafe chmod(tenants, 0o777) == 0 && chmod(prefetch, 0o666) == 0)
        let open = try files()
        #expect(open.map(\.status) == ["ok", "warning", "warning", "warning"], "\(open)")
        #expect(open[1].found == "other users can change \(tenants)")
        #expect(open[2].subject == "one" && open[2].found == "other users can change \(prefetch)")
        #expect(unsafe chmod(tenants, 0o755) == 0 && chmod("\(tenants)/two.yaml", 0o646) == 0)
        let file = try #require(try files().first { $0.found.hasSuffix("two.yaml") })
        #expect(file.subject == "two" && file.found == "other users can change \(tenants)/two.yaml")
        try await stop(deployment)
    }

    @Test("The secret of a further client is examined as the tenant's own is, and named by its keys.")
    func clientSecret() async throws {
        let deployment = try await Deployment.startWithClient()
        let path = deployment.directory.path("backend-secret")
        let found = try examine(deployment).1.findings.filter { $0.check == "secret" }.map(\.found)
        #expect(found.count == 2 && found[1].hasPrefix("clients.backend.client_secret: \(path) is private"), "\(found)")
        #expect(unsafe chmod(path, 0o644) == 0)
        let (status, diagnosis) = try examine(deployment)
        #expect(status == 1 && diagnosis.failed == ["secret"])
        let finding = try #require(diagnosis.findings.first { $0.status == "failed" })
        #expect(finding.found.hasPrefix("clients.backend.client_secret: \(path) can be read or changed by others"))
        try await stop(deployment)
    }

    @Test("A secret that is missing fails, with the command that writes one.")
    func missingSecret() async throws {
        let deployment = try await Deployment.start()
        try FileManager.default.removeItem(atPath: deployment.directory.path("secret"))
        let finding = try examine(deployment).1.finding("secret", "main")
        #expect(finding.status == "failed")
        #expect(finding.advice?.hasPrefix("write the client's secret: install -m 600") == true)
        try await stop(deployment)
    }

    @Test("A configuration with faults fails for each of them, and the tenants are not examined.")
    func faultyConfiguration() async throws {
        let deployment = try await Deployment.start()
        try deployment.directory.write("tenants: { main: { hots: x } }\nlogg: {}\n", to: "c.yaml")
        let (status, diagnosis) = try examine(deployment)
        #expect(status == 1)
        #expect(Set(diagnosis.failed) == ["configuration"])
        #expect(diagnosis.failed.count > 1)
        #expect(diagnosis.findings.allSatisfy { !["secret", "name", "http"].contains($0.check) })
        #expect(try diagnosis.finding("daemon").status == "ok")
        try FileManager.default.removeItem(atPath: deployment.configurationPath)
        let missing = try examine(deployment).1.finding("configuration")
        #expect(missing.found == "\(deployment.configurationPath) doesn't exist")
        #expect(missing.advice?.contains("--config") == true)
        try await stop(deployment)
    }

    @Test("Without a daemon the sockets fail, and what needs them is skipped.")
    func noDaemon() async throws {
        let deployment = try await Deployment.start()
        deployment.daemon.signal(SIGTERM)
        #expect(deployment.daemon.waitForEnd() == 0)
        let (status, diagnosis) = try examine(deployment, "--subject", "ann")
        #expect(status == 1)
        #expect(diagnosis.failed == ["socket", "socket"])
        let socket = try diagnosis.finding("socket", "requests")
        #expect(socket.found == "\(deployment.requestsPath) doesn't exist")
        #expect(socket.advice == "start the daemon, or name the socket with --socket")
        for check in ["daemon", "token", "health"] { #expect(try diagnosis.finding(check).status == "skipped") }
        #expect(try diagnosis.finding("http").status == "ok")
        try await deployment.tenant.stop()
    }

    @Test("A socket that a killed daemon has left fails, and says so.")
    func staleSocket() async throws {
        let deployment = try await Deployment.start()
        deployment.daemon.signal(SIGKILL)
        _ = deployment.daemon.waitForEnd()
        let socket = try examine(deployment).1.finding("socket", "requests")
        #expect(socket.status == "failed")
        #expect(socket.found.hasPrefix("nobody listens at \(deployment.requestsPath) (mode 660, "))
        #expect(socket.advice?.contains("it replaces the socket") == true)
        try await deployment.tenant.stop()
    }

    @Test("A daemon that has stopped answering fails after a while.")
    func stoppedDaemon() async throws {
        let deployment = try await Deployment.start()
        deployment.daemon.signal(SIGSTOP)
        let (status, diagnosis) = try examine(deployment)
        deployment.daemon.signal(SIGCONT)
        #expect(status == 1)
        #expect(diagnosis.failed == ["daemon"])
        #expect(try diagnosis.finding("health").found == "the daemon doesn't answer")
        #expect(try diagnosis.finding("daemon").advice?.contains("stopped or hung") == true)
        try await deployment.stop()
    }

    @Test("A tenant that is down fails at the connection, and the steps behind it are left out.")
    func tenantDown() async throws {
        let deployment = try await Deployment.start(.init(tls: .valid))
        try await deployment.tenant.stopListening()
        let (status, diagnosis) = try examine(deployment, "--subject", "ann")
        #expect(status == 1)
        #expect(diagnosis.failed == ["connection", "token"])
        let connection = try diagnosis.finding("connection", "main")
        #expect(connection.found.hasSuffix("127.0.0.1 connection_refused"))
        #expect(connection.advice?.hasPrefix("see that the port is right") == true)
        #expect(diagnosis.findings.allSatisfy { !["certificate", "http", "clock"].contains($0.check) })
        #expect(try diagnosis.finding("token").found.contains("connection_refused"))
        try await stop(deployment)
    }

    @Test("A certificate of an authority that isn't known fails, and the advice names ca_file.")
    func wrongAuthority() async throws {
        let deployment = try await Deployment.start(.init(tls: .valid))
        let other = try await StandInTenant.start()
        try deployment.directory.write(other.certificateAuthorityPEM, to: "ca.pem")
        let (_, diagnosis) = try examine(deployment)
        #expect(diagnosis.failed == ["certificate"])
        let certificate = try diagnosis.finding("certificate", "main")
        #expect(certificate.found.hasPrefix("the tenant's certificate can't be trusted: no known authority"))
        #expect(certificate.advice?.contains("ca_file") == true)
        try await other.stop()
        try await stop(deployment)
    }

    @Test(
        "A certificate that can't be used fails, with its times or the advice to correct the host.",
        arguments: [
            (StandInTenant.TransportSecurity.expired, "it has expired; it is valid from ", "renew the certificate"),
            (.notYetValid, "it is not valid yet; it is valid from ", "timedatectl"),
            (.wrongName, "it is for another host name", "correct the tenant's host"),
        ]
    )
    func certificate(kind: StandInTenant.TransportSecurity, found: String, advice: String) async throws {
        let deployment = try await Deployment.start(.init(tls: kind))
        let (_, diagnosis) = try examine(deployment)
        #expect(diagnosis.failed == ["certificate"])
        let certificate = try diagnosis.finding("certificate", "main")
        #expect(certificate.found.contains(found), "\(certificate)")
        #expect(certificate.advice?.contains(advice) == true, "\(certificate)")
        try await stop(deployment)
    }

    @Test(
        "A clock that differs from the tenant's is a warning, and from five minutes on a failure.",
        arguments: [(60, "warning", "behind"), (-90, "warning", "ahead of"), (3_600, "failed", "behind")]
    )
    func clock(offset: Int, status: String, direction: String) async throws {
        var standIn = StandInTenant.Configuration()
        standIn.clockOffset = offset
        let deployment = try await Deployment.start(standIn)
        let clock = try examine(deployment).1.finding("clock", "main")
        #expect(clock.status == status)
        #expect(clock.found.contains(direction))
        #expect(clock.advice?.contains("timedatectl set-ntp true") == true)
        try await stop(deployment)
    }

    @Test("A subject that the tenant refuses fails with the tenant's status, code and title.")
    func refusedSubject() async throws {
        let deployment = try await Deployment.start()
        let (status, diagnosis) = try examine(deployment, "--subject", "unknown:zoe")
        #expect(status == 1)
        let token = try diagnosis.finding("token")
        #expect(token.found.contains("(the tenant: status 401, OAUTH-10, User not found)"), "\(token)")
        #expect(token.advice?.contains("exactly this subject") == true, "\(token)")
        try await stop(deployment)
    }

    @Test("A tenant behind a proxy is reached through it, and a refusal is the proxy's.")
    func proxy() async throws {
        let proxy = try await StandInProxy.start()
        let deployment = try await Deployment.start(options: "proxy: http://127.0.0.1:\(proxy.port)")
        #expect(try examine(deployment).1.finding("tunnel", "main").status == "ok")
        #expect(proxy.requests.count == 1)
        let refusing = try await StandInProxy.start(refusing: "HTTP/1.1 403 Forbidden\r\n\r\n")
        let options = "proxy: http://127.0.0.1:\(refusing.port)"
        let text = Deployment.configuration(deployment.tenant, deployment.directory, options: options)
        try deployment.directory.write(text, to: "c.yaml")
        let diagnosis = try examine(deployment).1
        #expect(diagnosis.failed == ["tunnel"])
        #expect(try diagnosis.finding("tunnel").advice == "the proxy's operator has to allow CONNECT to the tenant")
        try await refusing.stop()
        try await proxy.stop()
        try await stop(deployment)
    }

    @Test("A tenant that isn't configured is named with those that are.")
    func unknownTenant() async throws {
        let deployment = try await Deployment.start()
        let (status, diagnosis) = try examine(deployment, "--tenant", "other")
        #expect(status == 1)
        #expect(try diagnosis.finding("configuration").advice == "name one of these with --tenant: main")
        try await deployment.stop()
    }

    @Test(
        "A user who may not look at secrets and the operators' socket is told so, and nothing fails for that.",
        .enabled(if: OtherUser.isAvailable, OtherUser.reason)
    )
    func otherUser() async throws {
        let deployment = try await Deployment.startOpen("")
        #expect(unsafe chmod(deployment.configurationPath, 0o644) == 0)
        let (status, output) = try Program.run(
            "/usr/bin/setpriv",
            [
                "--reuid=65534", "--regid=65534", "--clear-groups",
                Program.directory.appending(path: "tokencachectl").path, "doctor", "--json", "--config",
                deployment.configurationPath, "--socket", deployment.requestsPath, "--admin-socket",
                deployment.adminPath,
            ]
        )
        let diagnosis = try JSONDecoder().decode(Diagnosis.self, from: Data(output.utf8))
        #expect(status == 0, "\(diagnosis.findings)")
        for check in ["secret", "health"] {
            #expect(try diagnosis.finding(check).status == "skipped", "\(diagnosis.findings)")
        }
        #expect(try diagnosis.finding("socket", "admin").status == "skipped")
        #expect(try diagnosis.finding("daemon").status == "ok")
        try await deployment.stop()
    }
}
