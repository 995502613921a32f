import DaemonConfiguration
import Foundation
import Testing

@Suite("The section metrics")
struct MetricsSectionTests {
    private func parse(_ settings: String) throws -> DaemonConfiguration {
        let tenant = "tenants: { main: { host: 'https://t.example', client_id: c, client_secret: { file: /s } } }"
        return try DaemonConfiguration.parse(Data("\(tenant)\nmetrics:\n  \(settings)\n".utf8), file: "c.yaml")
    }

    @Test(
        "An address of this machine needs no permission.",
        arguments: [
            ("127.0.0.1:9464", "127.0.0.1", 9_464), ("127.9.9.9:1", "127.9.9.9", 1), ("'[::1]:65535'", "::1", 65_535),
            ("localhost:9464", "127.0.0.1", 9_464), ("'[0:0:0:0:0:0:0:1]:9464'", "::1", 9_464),
        ]
    )
    func local(text: String, host: String, port: Int) throws {
        for allow in ["", "\n  allow_remote: false", "\n  allow_remote: true"] {
            let configuration = try parse("listen: \(text)\(allow)")
            #expect(configuration.metricsListen == .init(host: host, port: port))
            #expect(configuration.metricsLine == 3)
        }
    }

    @Test(
        "An address that other machines can reach needs allow_remote.",
        arguments: [
            ("0.0.0.0:9464", "0.0.0.0"), ("'[::]:9464'", "::"), ("10.0.0.1:9464", "10.0.0.1"),
            ("'[fe80::1]:9464'", "fe80::1"), ("128.0.0.1:9464", "128.0.0.1"),
            ("'[::ffff:10.0.0.1]:9464'", "::ffff:10.0.0.1"),
        ]
    )
    func remote(text: String, host: String) throws {
        let fault = """
            c.yaml:3: metrics.listen: can be reached from other machines: should be 127.0.0.1, [::1] or localhost, unless \
            metrics.allow_remote is true
            """
        for allow in ["", "\n  allow_remote: false"] {
            #expect {
                try parse("listen: \(text)\(allow)")
            } throws: {
                "\($0)" == fault
            }
        }
        #expect(try parse("listen: \(text)\n  allow_remote: true").metricsListen == .init(host: host, port: 9_464))
    }

    @Test(
        "Anything else is no address, also with allow_remote.",
        arguments: [
            "9464", "':9464'", "127.0.0.1", "'127.0.0.1:'", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:+1",
            "127.0.0.1:http", "'::1:9464'", "'[127.0.0.1]:9464'", "'[::1]'", "'[::1'", "127.1:9464", "example.com:9464",
            "localhost.example:9464", "LOCALHOST:9464", "'*:9464'", "/run/metrics.sock", "[]", "''",
        ]
    )
    func wrong(text: String) {
        for allow in ["", "\n  allow_remote: true"] {
            #expect {
                try parse("listen: \(text)\(allow)")
            } throws: {
                "\($0)".hasPrefix("c.yaml:3: metrics.listen: should be an address and a port, such as 127.0.0.1:9464, ")
            }
        }
    }

    @Test("Without an address nothing is served.")
    func none() throws {
        #expect(try parse("allow_remote: true").metricsListen == nil)
    }
}
