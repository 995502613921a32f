import HTTPTypes
import Testing

@testable import MetricsServer

@Suite("The pages that requests are for")
struct RouteTests {
    private func route(
        _ path: String,
        _ method: HTTPRequest.Method = .get,
        host: String? = nil,
        isLoopback: Bool = true
    ) -> Result<Route, Problem> {
        let request = HTTPRequest(method: method, scheme: "http", authority: host, path: path)
        return Result { () throws(Problem) in try Route(request, isLoopback: isLoopback) }
    }

    private func status(_ result: Result<Route, Problem>) -> Int {
        switch result {
        case .success: 200
        case .failure(let problem): problem.status
        }
    }

    @Test("Each page has its path, with or without a query.", arguments: Route.allCases)
    func paths(page: Route) {
        #expect(route(page.rawValue) == .success(page))
        #expect(route(page.rawValue + "?a=/b") == .success(page))
    }

    @Test(
        "Any other path is not found.",
        arguments: [
            "", "/", "*", "metrics", "/metrics/", "//metrics", "/Metrics", "/%6detrics", "http://localhost/metrics",
        ]
    )
    func otherPaths(path: String) { #expect(status(route(path)) == 404) }

    @Test("A page has the methods GET and HEAD, and says so.")
    func methods() throws {
        #expect(route("/metrics", .head) == .success(.metrics))
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE", "get"] {
            guard case .failure(let problem) = route("/healthz", try #require(.init(method))) else {
                Issue.record("\(method) should not be allowed")
                continue
            }
            #expect((problem.status, problem.allow) == (405, "GET, HEAD"))
        }
        #expect(status(route("/none", .post)) == 404)
    }

    @Test(
        "A request to a loopback address has a host of this machine, so that no web page can make one in a browser.",
        arguments: [
            ("localhost", true), ("LocalHost:9464", true), ("127.0.0.1", true), ("127.0.0.1:9464", true),
            ("127.1.2.3:1", true), ("[::1]:9464", true), ("[::1]", true),
            ("evil.example", false), ("evil.example:9464", false), ("127.0.0.1.evil.example", false),
            ("127.0.0.1.cafe", false), ("localhost.evil.example", false), ("10.0.0.1", false), ("0.0.0.0", false),
            ("", false), ("[", false), ("::1", false), ("127.1", false), ("[::1", true),
        ]
    )
    func hosts(host: String, isLocal: Bool) {
        #expect(status(route("/metrics", host: host)) == (isLocal ? 200 : 421))
        #expect(status(route("/metrics", host: host, isLoopback: false)) == 200)
    }

    @Test("A request without a host, as of HTTP/1.0, comes from no browser.")
    func noHost() { #expect(status(route("/metrics")) == 200) }
}
