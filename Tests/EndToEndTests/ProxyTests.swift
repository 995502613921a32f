import Foundation
import StandInTenant
import TestSupport
import Testing

@Suite("A proxy, by the real daemon", .serialized)
struct DaemonProxyTests {
    private func configuration(_ deployment: Deployment, _ options: String) throws {
        let text = Deployment.configuration(deployment.tenant, deployment.directory, options: options)
        try deployment.directory.write(text, to: "c.yaml")
    }

    @Test("A reload puts a tenant behind a proxy and takes it away again: tokens stay, as it is the same tenant.")
    func reload() async throws {
        let proxy = try await StandInProxy.start()
        let deployment = try await Deployment.start()
        _ = try deployment.token("ann")
        try deployment.directory.write("open sesame\n", to: "password")
        let password = "{ file: \(deployment.directory.path("password")) }"
        try configuration(
            deployment,
            "proxy: { url: 'http://127.0.0.1:\(proxy.port)', user: Aladdin, password: \(password) }"
        )
        #expect(try deployment.control("reload").status == 0)
        #expect(try deployment.token("ann")["source"] as? String == "cache")
        #expect(proxy.requests.isEmpty)
        #expect(try deployment.token("bob")["source"] as? String == "tenant")
        #expect(proxy.requests.count == 1)
        #expect(proxy.requests.first?.contains("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==") == true)
        try configuration(deployment, "")
        #expect(try deployment.control("reload").status == 0)
        #expect(try deployment.token("bob")["source"] as? String == "cache")
        #expect(try deployment.token("cid")["source"] as? String == "tenant")
        #expect(proxy.requests.count == 1)
        #expect(!deployment.written.contains("sesame"))
        try await deployment.stop()
        try await proxy.stop()
    }

    @Test("The refusal of a proxy is in the reply and in the log.")
    func refusal() async throws {
        let proxy = try await StandInProxy.start(refusing: "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
        let deployment = try await Deployment.start(options: "proxy: http://127.0.0.1:\(proxy.port)")
        let reply = try deployment.token("ann")
        #expect(reply["error_description"] as? String == "the proxy refused its credentials, or wants some (407)")
        #expect((reply["upstream"] as? [String: Any])?["code"] as? String == "proxy_authentication")
        #expect(deployment.daemon.waitForOutput("proxy_authentication") != nil)
        try await deployment.stop()
        try await proxy.stop()
    }

    @Test("The environment's proxy is used only if the configuration says so.", arguments: [false, true])
    func environment(isWanted: Bool) async throws {
        let proxy = try await StandInProxy.start()
        var standIn = StandInTenant.Configuration()
        standIn.tls = .valid
        let deployment = try await Deployment.start(
            standIn,
            environment: ["https_proxy": "http://127.0.0.1:\(proxy.port)", "no_proxy": "none.invalid"]
        )
        let text = Deployment.configuration(
            deployment.tenant,
            deployment.directory,
            options: isWanted ? "proxy: environment" : ""
        )
        try deployment.directory.write(text.replacing("https://127.0.0.1", with: "https://localhost"), to: "c.yaml")
        #expect(try deployment.control("reload").status == 0)
        #expect(try deployment.token("ann")["source"] as? String == "tenant")
        #expect(proxy.requests.count == (isWanted ? 1 : 0))
        try await deployment.stop()
        try await proxy.stop()
    }

    @Test("A password that can't be read is a fault with its line.")
    func faults() throws {
        let directory = try TemporaryDirectory()
        try directory.write("secret", to: "secret")
        try directory.write(
            """
            tenants:
              main:
                host: https://x.example
                client_id: c
                client_secret: { file: \(directory.path("secret")) }
                proxy:
                  url: http://p:1
                  user: me
                  password: { file: \(directory.path("none")) }
            """,
            to: "c.yaml"
        )
        let (status, output) = try Program.run("tokencached", ["--check-config", "--config", directory.path("c.yaml")])
        #expect(status == 78)
        #expect(output.contains("c.yaml:9: tenants.main.proxy.password: \(directory.path("none")) can't be read"))
    }
}
