import Foundation
import MetricsServer
import NIOCore
import NIOPosix
import OperatorReplies
import Synchronization
import TestSupport
import Testing

@Suite("The HTTP server of the metrics", .timeLimit(.minutes(3)))
struct MetricsServerTests {
    // MARK: Pages

    @Test("The metrics are served as Prometheus's text format.")
    func metrics() async throws {
        try await withServer { port in
            let response = try await HTTPExchange.get("/metrics", port: port)
            #expect((response.status, response.body) == (200, "a 1\n"))
            #expect(response.fields["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            #expect(response.fields["content-length"] == "4")
            #expect(response.fields["cache-control"] == "no-store")
            #expect(response.fields["connection"] == "close")
            #expect(response.fields["server"] == nil)
        }
    }

    @Test("A daemon that is well says so, with its checks as JSON.")
    func health() async throws {
        let check = HealthReply.Check(name: "hold", tenant: "main", status: .degraded, description: "it holds")
        try await withServer(.fixed(check)) { port in
            let ready = try await HTTPExchange.get("/readyz", port: port)
            #expect((ready.status, ready.fields["content-type"]) == (200, "application/json"))
            #expect(
                ready.body == """
                    {"checks":[{"check":"hold","description":"it holds","status":"degraded","tenant":"main"}],\
                    "status":"degraded"}

                    """
            )
            let alive = try await HTTPExchange.get("/healthz", port: port)
            #expect(alive.status == 200)
            #expect(
                alive.body == """
                    {"checks":[{"check":"requests","status":"ok"},{"check":"tenants","status":"ok"}],"status":"ok"}

                    """
            )
        }
    }

    @Test("A daemon that is failing is not ready, and the problem has the failing checks.")
    func failing() async throws {
        let hold = HealthReply.Check(name: "hold", tenant: "main", status: .degraded)
        let client = HealthReply.Check(name: "client", tenant: "main", status: .failing, description: "refused")
        try await withServer(.fixed(hold, client)) { port in
            let response = try await HTTPExchange.get("/readyz", port: port)
            #expect((response.status, response.fields["content-type"]) == (503, "application/problem+json"))
            #expect(
                response.body == """
                    {"checks":[{"check":"client","description":"refused","status":"failing","tenant":"main"}],\
                    "detail":"the daemon should get no requests now","status":503,"title":"Service Unavailable",\
                    "type":"about:blank"}

                    """
            )
            #expect(try await HTTPExchange.get("/healthz", port: port).status == 200)
        }
    }

    @Test("HEAD has the header of GET and no body.", arguments: ["/metrics", "/healthz", "/none"])
    func head(path: String) async throws {
        try await withServer { port in
            let get = try await HTTPExchange(port: port).request(path)
            let head = try await HTTPExchange(port: port).request(path, method: "HEAD")
            #expect((head.status, head.body) == (get.status, ""))
            #expect(head.fields.filter { $0.key != "date" } == get.fields.filter { $0.key != "date" })
        }
    }

    @Test(
        "What is no request for a page is a problem.",
        arguments: [
            ("/", "GET", "localhost", 404, "Not Found"), ("/metrics", "POST", "localhost", 405, "Method Not Allowed"),
            ("/metrics", "GET", "evil.example", 421, "Misdirected Request"),
        ]
    )
    func problems(path: String, method: String, host: String, status: Int, title: String) async throws {
        try await withServer { port in
            let response = try await HTTPExchange(port: port).request(path, method: method, host: host)
            #expect((response.status, response.fields["content-type"]) == (status, "application/problem+json"))
            #expect(response.body.contains(#""status":\#(status),"title":"\#(title)","type":"about:blank""#))
            #expect(response.fields["cache-control"] == "no-store")
            #expect(response.fields["allow"] == (status == 405 ? "GET, HEAD" : nil))
        }
    }

    @Test("The server listens on IPv6, too.")
    func ipv6() async throws {
        try await withServer(on: "::1") { port in
            let response = try await HTTPExchange(port: port, host: "::1").request("/metrics", host: "[::1]:\(port)")
            #expect(response.status == 200)
        }
    }

    // MARK: Stuck

    @Test("A page that takes too long is a problem, liveness names the loop that is stuck, and nothing piles up.")
    func stuck() async throws {
        let (releases, release) = AsyncStream<Void>.makeStream()
        let scrapes = Mutex(0)
        let wait: @Sendable () async -> Void = { for await _ in releases {} }
        let pages = Pages(
            metrics: {
                scrapes.withLock { $0 += 1 }
                await wait()
                return "late 1\n"
            },
            loops: ["requests": wait, "tenants": {}],
            readiness: {
                await wait()
                return HealthReply(checks: [])
            }
        )
        try await withServer(pages, limits: .init(page: .milliseconds(50))) { port in
            for _ in 0..<3 {
                #expect(try await HTTPExchange.get("/metrics", port: port).status == 503)
                #expect(try await HTTPExchange.get("/readyz", port: port).status == 503)
                #expect(try await HTTPExchange.get("/healthz", port: port).status == 503)
            }
            // On a busy machine the other loop's turn may take longer, but not each time.
            var body = ""
            repeat { body = try await HTTPExchange.get("/healthz", port: port).body } while body.contains("tenants")
            #expect(body.contains(#""check":"requests""#))
            #expect(scrapes.withLock { $0 } == 1, "all share one")
            release.finish()
        }
    }

    // MARK: Bounds

    @Test(
        "A request that is too large, has a body or is none gets its answer, and the connection ends.",
        arguments: [
            ("GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: \(String(repeating: "x", count: 20_000))\r\n\r\n", 431),
            ("GET /\(String(repeating: "x", count: 2_000_000)) HTTP/1.1\r\nHost: localhost\r\n\r\n", 431),
            ("GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc", 413),
            (
                "GET /metrics HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                413
            ),
            ("POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999999\r\n\r\n", 413),
            ("GET /metrics\r\n\r\n", 400), ("\u{0}\u{1}\u{2}\r\n\r\n", 400), ("{\"op\":\"token\"}\n", 400),
            ("GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n", 400),
        ]
    )
    func refused(text: String, status: Int) async throws {
        try await withServer { port in
            let answer = try await HTTPExchange(port: port).send(text)
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer.prefix(100))")
            #expect(answer.contains("application/problem+json"))
            #expect(answer.components(separatedBy: "HTTP/1.1").count == 2, "one answer")
            #expect(try await HTTPExchange.get("/metrics", port: port).status == 200)
        }
    }

    @Test("A connection serves one request.")
    func pipelined() async throws {
        try await withServer { port in
            let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
            let answer = try await HTTPExchange(port: port).send(request + request)
            #expect(answer.components(separatedBy: "HTTP/1.1 200 OK").count == 2)
        }
    }

    @Test("A client that sends its request and no more is answered.")
    func halfClosed() async throws {
        try await withServer { port in
            let answer = try await HTTPExchange(port: port).send("GET /metrics HTTP/1.0\r\n\r\n", ends: true)
            #expect(answer.hasSuffix("\r\n\r\na 1\n"))
        }
    }

    @Test(
        "A client that doesn't send its whole request in time is told so.",
        arguments: ["", "GET /metrics HTTP/1.1\r\nHost"]
    )
    func slowClient(text: String) async throws {
        try await withServer(limits: .init(request: .milliseconds(50))) { port in
            let answer = try await HTTPExchange(port: port).send(text)
            #expect(answer.hasPrefix("HTTP/1.1 408 "), "\(answer)")
        }
    }

    @Test("A client that doesn't read its response in time is cut off, so that others get its place.")
    func slowReader() async throws {
        var pages = Pages.fixed()
        // More than the sockets' buffers take.
        let text = String(repeating: "a", count: 32_000_000)
        pages.metrics = { text }
        try await withServer(pages, limits: .init(deadline: .milliseconds(50), connections: 1)) { port in
            let reader = try await SilentReader.connect(port: port)
            // On a busy machine this connection may end too, but the next one has a place as well.
            while (try? await HTTPExchange.get("/healthz", port: port))?.status != 200 {}
            try await reader.close()
        }
    }

    @Test("Connections beyond the limit wait until another one ends.")
    func connections() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let isReleased = Mutex(false)
        var pages = Pages.fixed()
        pages.metrics = { isReleased.withLock { $0 } ? "late 1\n" : "early 1\n" }
        let limits = MetricsServer.Limits(request: .seconds(100), connections: 2)
        try await withServer(pages, limits: limits, group: group) { port in
            let idle = [try await HTTPExchange(port: port), try await HTTPExchange(port: port)]
            async let third = HTTPExchange.get("/metrics", port: port)
            // The same thread serves another server meanwhile, so it would have served the third connection too.
            try await withServer(group: group) { other in
                for _ in 0..<20 { _ = try await HTTPExchange.get("/metrics", port: other) }
            }
            isReleased.withLock { $0 = true }
            try await idle[0].close()
            #expect(try await third.body == "late 1\n")
            try await idle[1].close()
        }
        try await group.shutdownGracefully()
    }

    // MARK: End

    @Test("A server that stops closes idle connections at once, and frees its port.")
    func stop() async throws {
        var idle: HTTPExchange?
        try await withServer(limits: .init(request: .seconds(100))) { port in
            idle = try await HTTPExchange(port: port)
            _ = try await HTTPExchange.get("/metrics", port: port)
        }
        await #expect(throws: (any Error).self) { try await idle?.request("/metrics") }
    }

    @Test("An address that is taken is an error.")
    func taken() async throws {
        let reservation = try PortReservation()
        try reservation.listen()
        let address = ListenAddress(host: "127.0.0.1", port: reservation.port)
        let server = MetricsServer(on: address, .fixed(), group: MultiThreadedEventLoopGroup.singleton) { _ in }
        await #expect(throws: IOError.self) { try await server.run() }
    }
}
