import Foundation
import StandInTenant
import TestSupport
import Testing

@Suite("Metrics by HTTP, by the real daemon", .timeLimit(.minutes(3)))
struct MetricsByHTTPTests {
    private func configure(_ deployment: Deployment, _ settings: String) throws {
        let text = Deployment.configuration(deployment.tenant, deployment.directory, settings: settings)
        try deployment.directory.write(text, to: "c.yaml")
    }

    private func listen(_ port: PortReservation) -> String { "metrics: { listen: 127.0.0.1:\(port.port) }" }

    @Test("All pages answer before the first tenant was reached, and the tenant stays untouched.")
    func beforeTheFirstTenant() async throws {
        let port = try PortReservation()
        let deployment = try await Deployment.start(settings: listen(port))
        _ = try #require(deployment.daemon.waitForOutput("address=127.0.0.1:\(port.port)"))
        let metrics = try await HTTPExchange.get("/metrics", port: port.port)
        #expect((metrics.status, metrics.fields["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8"))
        #expect(try await HTTPExchange.get("/healthz", port: port.port).status == 200)
        let ready = try await HTTPExchange.get("/readyz", port: port.port)
        #expect((ready.status, ready.fields["content-type"]) == (200, "application/json"))
        #expect(await deployment.tenant.requests.isEmpty)
        try await deployment.stop()
    }

    @Test("Prometheus's own check finds nothing wrong with the metrics.")
    func promtool() async throws {
        let port = try PortReservation()
        let deployment = try await Deployment.start(settings: listen(port))
        _ = try #require(deployment.daemon.waitForOutput("address=127.0.0.1:\(port.port)"))
        _ = try deployment.token("ann")
        let metrics = try await HTTPExchange.get("/metrics", port: port.port)
        #expect(metrics.body.contains("\ntokencached_entries 1\n"))
        try deployment.directory.write(metrics.body, to: "metrics")
        let file = deployment.directory.path("metrics")
        let (status, output) = try Program.run("/bin/sh", ["-c", "promtool check metrics <'\(file)'"])
        #expect((status, output) == (0, ""))
        try await deployment.stop()
    }

    @Test("A reload starts, moves and ends the server, and one to a port that is taken changes nothing.")
    func reloads() async throws {
        let (first, second, taken) = (try PortReservation(), try PortReservation(), try PortReservation())
        try taken.listen()
        let deployment = try await Deployment.start()
        try configure(deployment, listen(first))
        #expect(try deployment.control("reload").status == 0)
        #expect(try await HTTPExchange.get("/healthz", port: first.port).status == 200)

        try configure(deployment, listen(second))
        #expect(try deployment.control("reload").status == 0)
        #expect(try await HTTPExchange.get("/healthz", port: second.port).status == 200)
        await #expect(throws: (any Error).self) { try await HTTPExchange.get("/healthz", port: first.port) }

        try configure(deployment, "\(listen(taken))\ncache: { max_entries: 1 }")
        let failed = try deployment.control("reload")
        #expect(failed.status != 0)
        #expect(
            failed.output.contains(
                "metrics.listen: 127.0.0.1:\(taken.port) can't be listened on: Address already in use"
            )
        )
        #expect(try await HTTPExchange.get("/healthz", port: second.port).status == 200)

        try configure(deployment, "")
        #expect(try deployment.control("reload").status == 0)
        await #expect(throws: (any Error).self) { try await HTTPExchange.get("/healthz", port: second.port) }
        try await deployment.stop()
    }

    @Test("A reload moves the server between one address and all addresses on the same port.")
    func samePort() async throws {
        let port = try PortReservation()
        let everywhere = "metrics: { listen: 0.0.0.0:\(port.port), allow_remote: true }"
        let deployment = try await Deployment.start(settings: listen(port))
        _ = try #require(deployment.daemon.waitForOutput("address=127.0.0.1:\(port.port)"))
        try configure(deployment, everywhere)
        #expect(try deployment.control("reload").status == 0)
        #expect(try await HTTPExchange.get("/healthz", port: port.port).status == 200)
        // The loopback address is guarded in any case.
        let foreign = try await HTTPExchange(port: port.port).request("/metrics", host: "evil.example")
        #expect(foreign.status == 421)
        try configure(deployment, listen(port))
        #expect(try deployment.control("reload").status == 0)
        #expect(try await HTTPExchange.get("/healthz", port: port.port).status == 200)
        try await deployment.stop()
    }

    @Test("A daemon whose client is denied is alive but not ready, and the problem names the tenant.")
    func denied() async throws {
        let port = try PortReservation()
        let deployment = try await Deployment.start(settings: listen(port))
        _ = try #require(deployment.daemon.waitForOutput("address=127.0.0.1:\(port.port)"))
        _ = try deployment.token("known")
        try await deployment.tenant.setSecrets(["another"])
        for name in ["a", "b", "c"] { #expect(try deployment.token(name)["error"] as? String == "denied") }
        _ = try #require(deployment.daemon.waitForOutput("the tenant refuses the client"))
        let ready = try await HTTPExchange.get("/readyz", port: port.port)
        #expect((ready.status, ready.fields["content-type"]) == (503, "application/problem+json"))
        #expect(ready.body.contains(#""tenant":"main""#) && ready.body.contains(#""check":"client""#))
        #expect(!ready.body.contains("another") && !ready.body.contains(deployment.tenant.clientSecret))
        #expect(try await HTTPExchange.get("/healthz", port: port.port).status == 200)
        try await deployment.stop()
    }
}
