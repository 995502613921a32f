import Secrets
import StandInTenant
import Tenant
import TestSupport
import Testing
import TokenCache

@Suite("A tenant that is reached through a proxy")
struct ProxyTests {
    private func withProxy<Result>(
        refusing refusal: String? = nil,
        _ body: (StandInProxy) async throws -> Result
    ) async throws -> Result {
        let proxy = try await StandInProxy.start(refusing: refusal)
        do {
            let result = try await body(proxy)
            try await proxy.stop()
            return result
        } catch {
            try await proxy.stop()
            throw error
        }
    }

    @Test("The proxy is asked for a tunnel, with any credentials, and TLS to the tenant goes through it.")
    func tunnel() async throws {
        var configuration = StandInTenant.Configuration()
        configuration.tls = .valid
        let directory = try TemporaryDirectory()
        try await withStandInTenant(configuration) { tenant in
            let authority = try directory.write(tenant.certificateAuthorityPEM, to: "ca.pem")
            for user in [nil, "Aladdin"] {
                try await withProxy { proxy in
                    try await withClient(of: "https://localhost:\(tenant.port)") {
                        $0.clientID = tenant.clientID
                        $0.caFile = authority
                        $0.proxy = ProxySettings(host: "127.0.0.1", port: proxy.port)
                        if let user {
                            let password = ClientSecret("open sesame")
                            $0.proxy = .init(host: "127.0.0.1", port: proxy.port, user: user, password: password)
                        }
                    } _: { client in
                        for _ in 0..<2 { #expect(await client.mint(secret: tenant.clientSecret).isMinted) }
                    }
                    let target = "localhost:\(tenant.port)"
                    // RFC 7617, section 2.
                    let field = user == nil ? "" : "proxy-authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"
                    #expect(proxy.requests == ["CONNECT \(target) HTTP/1.1\r\nhost: \(target)\r\n\(field)\r\n"])
                }
            }
            #expect(await tenant.violations.isEmpty)
        }
    }

    @Test("Plain HTTP to this machine goes through a tunnel, too.")
    func plain() async throws {
        try await withStandInTenant { tenant in
            try await withProxy { proxy in
                try await withClient(of: tenant.baseURL) {
                    $0.clientID = tenant.clientID
                    $0.proxy = ProxySettings(host: "localhost", port: proxy.port)
                } _: { client in
                    #expect(await client.mint(secret: tenant.clientSecret).isMinted)
                }
                #expect(proxy.requests.count == 1)
            }
        }
    }

    @Test(
        "The proxy's own rejection has a code and a sentence that name the proxy.",
        arguments: [
            ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "proxy_authentication", "(407)"),
            ("HTTP/1.0 403 Forbidden\r\ncontent-length: 2\r\n\r\nno", "proxy_forbidden", "(403)"),
            ("HTTP/1.1 502 Bad Gateway\r\n\r\n", "proxy_gateway", "answered with status 502"),
            ("HTTP/1.1 301 Moved\r\nlocation: http://x\r\n\r\n", "proxy_gateway", "301"),
            ("SSH-2.0-OpenSSH\r\n\r\n", "proxy_not_http", "not HTTP"), ("", "proxy_connection_lost", "ended"),
            (String(repeating: "x", count: 20_000), "proxy_not_http", "not HTTP"),
        ]
    )
    func refusal(answer: String, code: String, words: String) async throws {
        try await withProxy(refusing: answer) { proxy in
            let outcome = try await withClient(of: "https://tenant.invalid") {
                $0.proxy = ProxySettings(host: "127.0.0.1", port: proxy.port)
            } _: {
                await $0.mint()
            }
            #expect(outcome.code == code)
            #expect(outcome.reason?.contains(words) == true)
            #expect(outcome.reason?.contains("proxy") == true)
        }
    }

    @Test("An unreachable proxy has other codes than an unreachable tenant.")
    func unreachable() async throws {
        try await withProxy { proxy in
            try await withStandInTenant { tenant in
                let port = proxy.port
                func mint(_ origin: String, _ host: String, _ port: Int) async throws -> MintOutcome {
                    try await withClient(of: origin) {
                        $0.proxy = ProxySettings(host: host, port: port)
                    } _: {
                        await $0.mint()
                    }
                }
                try await tenant.stopListening()
                let (gone, unknown) = try await (
                    mint("http://localhost:1", "127.0.0.1", tenant.port), mint("http://localhost:1", "proxy.invalid", 1)
                )
                #expect(gone.code == "proxy_connection_refused")
                #expect(unknown.code == "proxy_no_such_name" || unknown.code == "proxy_name_unresolved")
                let behind = try await mint("http://localhost:\(tenant.port)", "127.0.0.1", port)
                #expect(behind.code == "proxy_gateway")
            }
        }
    }

    @Test("There is no client for an address behind a proxy, as its certificate couldn't be checked.")
    func address() async throws {
        await #expect(throws: TenantClient.SettingsFault.addressBehindProxy) {
            try await withClient(of: "https://192.0.2.1") {
                $0.proxy = ProxySettings(host: "127.0.0.1", port: 1)
            } _: { _ in
            }
        }
    }

    @Test("Settings show no credential, however they are printed.")
    func credentials() {
        let proxy = ProxySettings(host: "proxy", port: 1, user: "Aladdin", password: ClientSecret("hunter2"))
        var text = "\(proxy) \(String(reflecting: proxy))"
        dump(proxy, to: &text)
        #expect(!text.contains("hunter2"))
        #expect(!text.contains("Aladdin"))
    }

    // MARK: The environment

    private func proxy(_ variables: [String: String], _ origin: String = "https://one.example") throws -> ProxySettings?
    {
        try ProxyEnvironment(variables).proxy(forOrigin: origin)
    }

    @Test("The environment's proxy is found by the rules of curl.")
    func environment() throws {
        let (a, b) = (ProxySettings(host: "a", port: 3_128), ProxySettings(host: "b", port: 1_080))
        #expect(try proxy([:]) == nil)
        #expect(try proxy(["HTTPS_PROXY": "http://a:3128"]) == a)
        #expect(try proxy(["https_proxy": "a:3128", "HTTPS_PROXY": "http://b"]) == a)
        #expect(try proxy(["https_proxy": "", "HTTPS_PROXY": "http://b/"]) == b)
        #expect(try proxy(["ALL_PROXY": "HTTP://b"]) == b)
        #expect(try proxy(["http_proxy": "http://a:3128"]) == nil)
        #expect(try proxy(["HTTPS_PROXY": "http://a:3128"], "http://127.0.0.1:8080") == nil)
        let user = try proxy(["HTTPS_PROXY": "http://me:p%40ss@a:3128"])
        #expect(user == ProxySettings(host: "a", port: 3_128, user: "me", password: ClientSecret("p@ss")))
    }

    @Test(
        "Hosts in NO_PROXY, and those below them, are reached without a proxy.",
        arguments: [
            ("one.example", true), ("ONE.example.", true), ("example", true), (".example", true), ("*", true),
            ("two.example, one.example", true), ("two.example one.example", true), ("ne.example", false),
            ("one.example.org", false), ("", false), (",", false),
        ]
    )
    func exempt(list: String, isExempt: Bool) throws {
        for name in ["NO_PROXY", "no_proxy"] {
            #expect(try (proxy(["HTTPS_PROXY": "http://a:1", name: list]) == nil) == isExempt)
        }
    }

    @Test(
        "A variable without the URL of an HTTP proxy is a fault that doesn't show its value.",
        arguments: ["https", "socks5"]
    )
    func wrong(scheme: String) throws {
        let fault = #expect(throws: ProxyEnvironment.Fault.self) {
            try proxy(["HTTPS_PROXY": "\(scheme)://me:hunter2@a:1"])
        }
        #expect(fault?.description.hasPrefix("HTTPS_PROXY") == true)
        #expect(fault?.description.contains("hunter2") == false)
    }
}
