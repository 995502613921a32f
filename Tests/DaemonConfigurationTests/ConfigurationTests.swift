import Audit
import DaemonConfiguration
import Foundation
import Logging
import Testing
import TokenCache
import TokenProtocol

@Suite("The configuration")
struct ConfigurationTests {
    /// The least that can be configured.
    ///
    /// Tests add their settings before it.
    private static let tenants = """
        tenants:
          main:
            host: https://one.example
            client_id: id
            client_secret: { file: /run/secret }
        """

    private func parse(_ text: String) throws -> DaemonConfiguration {
        try DaemonConfiguration.parse(Data(text.utf8), file: "t.yaml")
    }

    /// The faults of a text, a line each.
    private func faults(_ text: String) -> [String] {
        do throws(ConfigurationFaults) {
            _ = try DaemonConfiguration.parse(Data(text.utf8), file: "t.yaml")
            return []
        } catch {
            return error.description.split(separator: "\n").map(String.init)
        }
    }

    @Test("A setting that is missing has its default.")
    func defaults() throws {
        let configuration = try parse(Self.tenants)
        #expect(configuration.sockets.requests.path == "/run/tokencached/tokencached.sock")
        #expect(configuration.sockets.requests.mode == 0o660)
        #expect(configuration.sockets.requests.group == nil)
        #expect(configuration.sockets.admin.path == "/run/tokencached-admin/admin.sock")
        #expect(configuration.sockets.admin.mode == 0o600)
        #expect(configuration.sockets.admin.group == nil)
        #expect(configuration.sockets.maxConnections == 4_096)
        #expect(configuration.cachePolicy.maxEntries == 100_000)
        #expect(configuration.cachePolicy.idleTTL == .seconds(1_800))
        #expect(configuration.cachePolicy.negativeTTL == .seconds(10))
        #expect(configuration.cachePolicy.ahead == 0.7)
        #expect(configuration.cachePolicy.jitter == 0.1)
        #expect(configuration.cachePolicy.refreshDeadline == 0.9)
        #expect(configuration.cachePolicy.minTTL == .seconds(60))
        #expect(configuration.cachePolicy.defaultLifetime == .seconds(300))
        #expect(configuration.defaultTenant == "main")
        let tenant = try #require(configuration.tenants["main"])
        #expect(tenant.scope == "user_default")
        #expect(tenant.timeout == .seconds(10))
        #expect((tenant.policy.ratePerMinute, tenant.policy.burst, tenant.policy.maxConcurrent) == (80, 80, 8))
        #expect(tenant.credential == .secret(.file("/run/secret")))
        #expect(configuration.access == nil)
        #expect(configuration.logLevel == .info)
        #expect(configuration.metricsListen == nil)
    }

    @Test("Every setting can be configured.")
    func everything() throws {
        let configuration = try parse(
            """
            sockets:
              requests: { path: /r, mode: "0666", group: "1001" }
              admin: { path: /a, mode: "600" }
              max_connections: 1
            cache: { max_entries: 5, idle_ttl: 90s, negative_ttl: 0 }
            refresh: { ahead: 0.1, jitter: 0, last_chance: 0.95, min_ttl: 1.5, default_lifetime: 6h }
            default_tenant: b
            tenants:
              a: { host: "http://127.0.0.1:8080/", client_id: 1, client_secret: { credential: c } }
              b:
                host: https://two.example:8443
                client_id: id
                client_secret: { file: /s }
                scope: user_default apps:read
                timeout: 30m
                rate: { per_minute: 100, burst: 1 }
                max_concurrent: 1000
                ca_file: /ca.pem
            access:
              - users: [www-data, 1001]
                groups: [webapps]
                tenants: [b]
                scopes: [user_default]
                subjects: ["*"]
                user_ids: []
                operations: [token, revoke]
            quotas: { connections: 1, waiting: 0.1, entries: 0.5 }
            admin: { users: [root, op] }
            metrics: { listen: "127.0.0.1:9464" }
            log: { level: debug, format: logfmt }
            """.replacing("timeout: 30m", with: "timeout: 5m")
        )
        #expect(configuration.sockets.requests.path == "/r")
        #expect(configuration.sockets.requests.mode == 0o666)
        #expect(configuration.sockets.requests.group == "1001")
        #expect(configuration.sockets.admin.mode == 0o600)
        #expect(configuration.cachePolicy.idleTTL == .seconds(90))
        #expect(configuration.cachePolicy.negativeTTL == .zero)
        #expect(configuration.cachePolicy.minTTL == .milliseconds(1_500))
        #expect(configuration.cachePolicy.defaultLifetime == .seconds(21_600))
        #expect(configuration.tenants["a"]?.host == "http://127.0.0.1:8080")
        #expect(configuration.tenants["a"]?.clientID == "1")
        #expect(configuration.tenants["b"]?.timeout == .seconds(300))
        #expect(configuration.tenants["b"]?.caFile == "/ca.pem")
        #expect(configuration.access?.first?.users == ["www-data", "1001"])
        #expect(configuration.access?.first?.userIDs == [])
        #expect(configuration.cachePolicy.waitingShare == 0.1)
        #expect(configuration.administrators == ["root", "op"])
        #expect(configuration.metricsListen == .init(host: "127.0.0.1", port: 9_464))
        #expect(configuration.logLevel == .debug)
        #expect(configuration.logFormat == .logfmt)
    }

    @Test(
        "A wrong value is a fault with its line, its key and its rule.",
        arguments: [
            ("cache: { max_entries: 0 }", "cache.max_entries: should be a whole number from 1 to 10000000"),
            ("cache: { max_entries: +5 }", "cache.max_entries: should be a whole number from 1 to 10000000"),
            (
                "sockets: { admin: { mode: \"+66\" } }",
                "sockets.admin.mode: should be a mode in octal digits and quotes, such as \"0660\""
            ),
            ("cache: { max_entries: 10000001 }", "cache.max_entries: should be a whole number from 1 to 10000000"),
            ("cache: { max_entries: \"5\" }", "cache.max_entries: should be a whole number from 1 to 10000000"),
            ("cache: { max_entries: 1e3 }", "cache.max_entries: should be a whole number from 1 to 10000000"),
            (
                "cache: { idle_ttl: 0 }",
                "cache.idle_ttl: should be a duration from 1 s to 24 h: a number of seconds, or text such as 90s, 30m or 6h"
            ),
            (
                "cache: { keep_across_restarts: 'true' }",
                "cache.keep_across_restarts: should be true or false"
            ),
            (
                "cache: { idle_ttl: 25h }",
                "cache.idle_ttl: should be a duration from 1 s to 24 h: a number of seconds, or text such as 90s, 30m or 6h"
            ),
            (
                "cache: { idle_ttl: 10:30 }",
                "cache.idle_ttl: should be a duration from 1 s to 24 h: a number of seconds, or text such as 90s, 30m or 6h"
            ),
            (
                "cache: { idle_ttl: .inf }",
                "cache.idle_ttl: should be a duration from 1 s to 24 h: a number of seconds, or text such as 90s, 30m or 6h"
            ),
            (
                "cache: { negative_ttl: 301 }",
                "cache.negative_ttl: should be a duration from 0 to 5 min: a number of seconds, or text such as 90s, 30m or 6h"
            ),
            (
                "cache: { negative_ttl: -1 }",
                "cache.negative_ttl: should be a duration from 0 to 5 min: a number of seconds, or text such as 90s, 30m or 6h"
            ),
            ("cache: 5", "cache: should be a mapping of max_entries, idle_ttl, negative_ttl, keep_across_restarts"),
            ("cache:", "cache: should be a mapping of max_entries, idle_ttl, negative_ttl, keep_across_restarts"),
            ("refresh: { ahead: 0.05 }", "refresh.ahead: should be a number from 0.1 to 0.95"),
            ("refresh: { ahead: .nan }", "refresh.ahead: should be a number from 0.1 to 0.95"),
            ("refresh: { last_chance: 0.96 }", "refresh.last_chance: should be a number from 0.1 to 0.95"),
            ("refresh: { jitter: 0.21 }", "refresh.jitter: should be a number from 0 to 0.2"),
            ("refresh: { ahead: 0.9 }", "refresh.ahead: should be smaller than last_chance, which is 0.9"),
            (
                "sockets: { max_connections: 100001 }",
                "sockets.max_connections: should be a whole number from 1 to 100000"
            ),
            ("sockets: { admin: { path: x } }", "sockets.admin.path: should be an absolute path of up to 107 bytes"),
            (
                "sockets: { admin: { path: /\(String(repeating: "x", count: 107)) } }",
                "sockets.admin.path: should be an absolute path of up to 107 bytes"
            ),
            (
                "sockets: { requests: { path: /x }, admin: { path: /x } }",
                "sockets.admin.path: should differ from sockets.requests.path"
            ),
            (
                "sockets: { admin: { mode: 999 } }",
                "sockets.admin.mode: should be a mode in octal digits and quotes, such as \"0660\""
            ),
            ("quotas: { entries: 0 }", "quotas.entries: should be a number over 0 and up to 1"),
            ("quotas: { waiting: 1.1 }", "quotas.waiting: should be a number over 0 and up to 1"),
            ("metrics: { allow_remote: 1 }", "metrics.allow_remote: should be true or false"),
            (
                "log: { format: xml }",
                "log.format: should be one of auto, journal, text, logfmt, json"
            ),
            (
                "log: { level: loud }",
                "log.level: should be one of trace, debug, info, notice, warning, error, critical"
            ),
            ("access: 1", "access: should be a list of rules"),
            ("access: [ { users: root } ]", "access[0].users: should be a list of user names or numbers"),
            ("access: [ { tenants: [other] } ]", "access[0].tenants[0]: should be names of configured tenants"),
            ("access: [ { scopes: [a b] } ]", "access[0].scopes[0]: should be OAuth scopes"),
            (
                "access: [ { operations: [flush] } ]",
                "access[0].operations[0]: should be operations: token, prefetch, invalidate, revoke, provision"
            ),
            ("default_tenant: other", "default_tenant: should be one of the tenants: main"),
            ("cach: {}", "cach: is not a known key (did you mean 'cache'?)"),
            ("unheard_of: {}", "unheard_of: is not a known key"),
            ("cache: { max_entrys: 5 }", "cache.max_entrys: is not a known key (did you mean 'max_entries'?)"),
        ]
    )
    func wrong(text: String, message: String) {
        #expect(faults("# a comment\n\(text)\n\(Self.tenants)") == ["t.yaml:2: \(message)"])
    }

    @Test(
        "A wrong value of a tenant is a fault with its line, its key and its rule.",
        arguments: [
            ("host: http://one.example", "host", 4),
            ("host: https://one.example/path", "host", 4),
            ("host: https://user@one.example", "host", 4),
            ("host: https://one.example:99999", "host", 4),
            ("host: https://", "host", 4), ("host: one.example", "host", 4),
            ("scope: \"\"", "scope", 4), ("scope: 'a\"b'", "scope", 4), ("timeout: 301", "timeout", 4),
            ("rate: { per_minute: 0 }", "rate.per_minute", 4), ("rate: { burst: 10000001 }", "rate.burst", 4),
            ("max_concurrent: 1001", "max_concurrent", 4), ("ca_file: relative", "ca_file", 4),
            ("colour: red", "colour", 4),
        ]
    )
    func wrongTenant(member: String, key: String, line: Int) {
        let host = member.hasPrefix("host") ? "" : "    host: https://one.example\n"
        let text = """
            tenants:
              main:
                client_id: id
                \(member)
                client_secret: { file: /s }
            \(host)
            """
        #expect(faults(text).count == 1)
        #expect(faults(text).first?.hasPrefix("t.yaml:\(line): tenants.main.\(key): ") == true, "\(faults(text))")
    }

    /// A tenant with two further clients.
    private static let tenantWithClients = """
        tenants:
          main:
            host: https://one.example
            client_id: id
            client_secret: { file: /run/secret }
            clients:
              backend: { client_id: b, client_secret: { credential: b }, scope: "user_default a" }
              jobs: { client_id: j, client_key: { file: /j }, key_id: k, key_algorithm: RS512 }
        """

    @Test("Further clients are read with their credentials, scopes and algorithms, and rules may list them.")
    func clients() throws {
        let configuration = try parse(
            Self.tenantWithClients + "\naccess: [{ users: [root], clients: [jobs, backend] }]"
        )
        let tenant = try #require(configuration.tenants["main"])
        #expect(tenant.policy.clients["backend"] == ClientPolicy(clientID: "b", scopes: ScopeSet("a user_default")))
        #expect(tenant.policy.clients["jobs"] == ClientPolicy(clientID: "j", scopes: nil))
        #expect(tenant.clients["backend"]?.credential == .secret(.credential("b")))
        #expect(tenant.clients["jobs"]?.credential == .key(.file("/j"), id: "k", algorithm: .rs512))
        #expect(tenant.clients["jobs"]?.credentialLine == 8)
        #expect(configuration.access?.first?.clients == ["jobs", "backend"])
        #expect(try parse(Self.tenants).tenants["main"]?.clients.isEmpty == true)
    }

    @Test(
        "A fault of a further client is reported with its line and key.",
        arguments: [
            ("a b: { client_id: x, client_secret: { file: /s } }", ".a b: should be named by 1 to 64 letters"),
            ("b: 1", ".b: should be a mapping of client_id"),
            ("b: { client_secret: { file: /s } }", ".b.client_id: is missing"),
            ("b: { client_id: x }", ".b.client_secret: is missing"),
            ("b: { client_id: x, client_secret: hunter2 }", ".b.client_secret: should be { credential: NAME }"),
            ("b: { client_id: x, client_secret: { file: /s }, scope: '' }", ".b.scope: should be"),
            (
                "b: { client_id: x, client_secret: { file: /s }, key_algorithm: RS256 }",
                ".b.key_algorithm: is for client_key"
            ),
            (
                "b: { client_id: x, client_key: { file: /s }, key_algorithm: ES256 }",
                ".b.key_algorithm: should be one of RS256"
            ),
            (
                "b: { client_id: x, client_secret: { file: /s }, scopes: a }",
                ".b.scopes: is not a known key (did you mean 'scope'?)"
            ),
        ]
    )
    func wrongClients(member: String, message: String) {
        let faults = faults("\(Self.tenants)\n    clients:\n      \(member)")
        #expect(faults.count == 1 && faults[0].hasPrefix("t.yaml:7: tenants.main.clients\(message)"), "\(faults)")
        #expect(!faults.joined().contains("hunter2"))
    }

    @Test(
        "A rule's client must be one of a tenant that the rule allows.",
        arguments: [
            (
                "clients: [backendd]",
                "clients[0]: 'backendd' is no client of a tenant that the rule allows (did you mean 'backend'?)"
            ),
            ("clients: [x], tenants: [main]", "clients[0]: 'x' is no client of a tenant that the rule allows"),
            ("clients: [backend], tenants: []", "clients[0]: 'backend' is no client of a tenant that the rule allows"),
            ("clients: backend", "clients: should be a list of names of clients of the rule's tenants"),
        ]
    )
    func wrongRuleClients(members: String, message: String) {
        let faults = faults("access: [{ users: [root], \(members) }]\n\(Self.tenantWithClients)")
        #expect(faults == ["t.yaml:1: access[0].\(message)"])
    }

    @Test(
        "http is allowed for loopback addresses only.",
        arguments: [
            ("http://127.0.0.1:1", true), ("http://127.9.9.9", true), ("http://[::1]:80", true),
            ("http://localhost", true),
            ("http://127.0.0.1.evil.example", false), ("http://localhost.evil.example", false),
            ("http://128.0.0.1", false),
        ]
    )
    func loopback(host: String, isAllowed: Bool) {
        let text = Self.tenants.replacing("https://one.example", with: host)
        #expect(faults(text).isEmpty == isAllowed)
    }

    @Test("A tenant needs a host, a client and a secret, which is never a value of the file and never shown.")
    func secrets() {
        #expect(
            faults("tenants:\n  main: {}") == [
                "t.yaml:2: tenants.main.host: is missing", "t.yaml:2: tenants.main.client_id: is missing",
                "t.yaml:2: tenants.main.client_secret: is missing",
            ]
        )
        for value in ["hunter2", "{ value: hunter2 }", "{ file: hunter2 }", "{ credential: ../hunter2 }", "[hunter2]"] {
            let text = Self.tenants.replacing("{ file: /run/secret }", with: value)
            let found = faults(text)
            #expect(found.count == 1, "\(value)")
            #expect(found.first?.hasPrefix("t.yaml:5: tenants.main.client_secret") == true)
            #expect(!found.joined().contains("hunter2"))
        }
    }

    @Test("A key can replace the secret, under an id of its own or its thumbprint. Both at once are a fault.")
    func keys() throws {
        func credential(_ lines: String) throws -> DaemonConfiguration.Credential? {
            let text = Self.tenants.replacing("client_secret: { file: /run/secret }", with: lines)
            return try parse(text).tenants["main"]?.credential
        }
        #expect(try credential("client_key: { credential: k }") == .key(.credential("k"), id: nil))
        #expect(try credential("client_key: { file: /k }\n    key_id: 1") == .key(.file("/k"), id: "1"))
        let both = Self.tenants.replacing("client_secret:", with: "client_key: { file: /k }\n    client_secret:")
        #expect(
            faults(both) == ["t.yaml:6: tenants.main.client_secret: should be left out where there is a client_key"]
        )
        let lonely = Self.tenants.replacing("client_secret:", with: "key_id: x\n    client_secret:")
        #expect(faults(lonely) == ["t.yaml:5: tenants.main.key_id: is for client_key only"])
    }

    @Test("A proxy is a URL, the environment's, or a URL with a user whose password is in a file or credential.")
    func proxy() throws {
        func proxy(_ value: String) throws -> DaemonConfiguration.Proxy? {
            try parse(Self.tenants.replacing("client_secret:", with: "proxy: \(value)\n    client_secret:"))
                .tenants["main"]?.proxy
        }
        #expect(try parse(Self.tenants).tenants["main"]?.proxy == nil)
        #expect(try proxy("environment") == .environment)
        #expect(try proxy("http://proxy.example:3128") == .server(host: "proxy.example", port: 3_128, nil))
        #expect(try proxy("HTTP://[::1]:8080/") == .server(host: "::1", port: 8_080, nil))
        #expect(try proxy("{ url: http://p:1 }") == .server(host: "p", port: 1, nil))
        let user = DaemonConfiguration.ProxyUser(name: "me", password: .file("/p"))
        #expect(try proxy("{ url: http://p:1, user: me, password: { file: /p } }") == .server(host: "p", port: 1, user))
    }

    @Test(
        "A proxy's faults have their lines, and show nothing of a URL.",
        arguments: [
            ("http://me:hunter2@p:1", "5: tenants.main.proxy: should be without user and password"),
            ("{ url: http://me@p:1 }", "5: tenants.main.proxy.url: should be without user and password"),
            ("p:3128", "5: tenants.main.proxy: should be http://host:port, environment, or {"),
            ("http://p", "5: tenants.main.proxy: should be http://host:port"),
            ("https://p:1", "5: tenants.main.proxy: should be http://host:port"),
            ("http://p:70000", "5: tenants.main.proxy: should be http://host:port"),
            ("[a]", "5: tenants.main.proxy: should be http://host:port"),
            ("{ url: hunter2 }", "5: tenants.main.proxy.url: should be http://host:port"),
            ("{ user: me }", "5: tenants.main.proxy.user: should come with a password"),
            ("{ url: http://p:1, password: { file: /p } }", "5: tenants.main.proxy.password: should come with a user"),
            (
                "{ url: http://p:1, user: me, password: hunter2 }",
                "5: tenants.main.proxy.password: should be { credential: NAME } or { file: PATH }"
            ),
            (
                "{ url: http://p:1, user: 'a:b', password: { file: /p } }",
                "5: tenants.main.proxy.user: should be a user's"
            ),
            ("{ uri: http://p:1 }", "5: tenants.main.proxy.uri: is not a known key (did you mean 'url'?)"),
            ("\n      user: me\n      url: http://p:1", "6: tenants.main.proxy.user: should come with a password"),
        ]
    )
    func wrongProxy(value: String, fault: String) {
        let faults = faults(Self.tenants.replacing("client_secret:", with: "proxy: \(value)\n    client_secret:"))
        #expect(faults.contains { $0.hasPrefix("t.yaml:" + fault) }, "\(faults)")
        #expect(!faults.joined().contains("hunter2"))
    }

    @Test("A tenant that is named by its address has no proxy: its certificate could not be checked.")
    func addressBehindProxy() {
        for host in ["https://192.0.2.1", "https://[2001:db8::1]:8443"] {
            let text = Self.tenants.replacing("client_secret:", with: "proxy: http://p:1\n    client_secret:")
                .replacing(/host: \S+/, with: "host: \(host)")
            #expect(faults(text).first?.hasPrefix("t.yaml:5: tenants.main.proxy: needs a name in host") == true)
        }
    }

    @Test("The audit trail goes to the journal, to standard error, to a file or nowhere. Units are named in full.")
    func audit() throws {
        func audit(_ value: String) throws -> AuditDestination? {
            try parse("audit: { to: \(value) }\n" + Self.tenants).audit
        }
        #expect(try audit("journal") == .journal)
        #expect(try audit("stderr") == .standardError)
        #expect(try audit("/var/log/audit") == .file("/var/log/audit"))
        #expect(try audit("none") == .nowhere)
        #expect(
            faults("audit: { to: audit.log }\n" + Self.tenants) == [
                "t.yaml:1: audit.to: should be journal, stderr, none or the absolute path of a file"
            ]
        )
        let rule = "access: [{ units: [myapp.service, \"app@*.service\", myapp] }]\n" + Self.tenants
        #expect(
            faults(rule) == [
                "t.yaml:1: access[0].units[2]: should be systemd units with their suffix, such as myapp.service"
            ]
        )
    }

    @Test("Tenants are named by letters, digits, dots, hyphens and underscores, and there is at least one.")
    func names() {
        #expect(faults("log: { level: info }") == ["t.yaml:1: tenants: is missing: name at least one tenant"])
        #expect(faults("tenants: {}").first?.hasPrefix("t.yaml:1: tenants: should be a mapping") == true)
        #expect(
            faults(Self.tenants.replacing("main:", with: "\"a b\":")).first?.contains("should be named by 1 to 64")
                == true
        )
    }

    @Test("With several tenants a default is required.")
    func severalTenants() {
        let two = Self.tenants + "\n  other: { host: https://two.example, client_id: x, client_secret: { file: /s } }"
        #expect(
            faults(two) == ["t.yaml:1: default_tenant: is missing: with several tenants it should name one of them"]
        )
        #expect(faults("default_tenant: other\n" + two).isEmpty)
    }

    @Test("All faults are reported at once, in the order of their lines.")
    func order() {
        let text = """
            log: { level: loud }
            cache: { max_entries: 0 }
            \(Self.tenants)
                colour: red
            sockets: { max_connections: 0 }
            """
        let lines = faults(text).compactMap { $0.split(separator: ":").dropFirst().first.flatMap { Int($0) } }
        #expect(lines == [1, 2, 8, 9])
    }

    @Test("A file that is no YAML, no mapping or no UTF-8 is one fault, without the text around it.")
    func notYAML() {
        #expect(faults("a: [1").count == 1)
        #expect(faults("client_secret: 'hunter2").joined().contains("hunter2") == false)
        #expect(faults("- a").first?.hasPrefix("t.yaml:1: should be a mapping of sockets") == true)
        #expect(faults("").count == 1)
        #expect(faults("a: 1\n---\nb: 2").count == 1)
        let same = "  1: { host: https://a.example, client_id: a, client_secret: { file: /s } }\n"
        let twice = faults("default_tenant: \"1\"\ntenants:\n" + same + same.replacing("1:", with: "\"1\":"))
        #expect(twice.contains { $0.contains("4: tenants.1: appears twice") }, "\(twice)")
        #expect(faults("cache: {}\ncache: {}\n" + Self.tenants).first?.contains("'cache' appears twice") == true)
        do throws(ConfigurationFaults) {
            _ = try DaemonConfiguration.parse(Data([0xFF, 0xFE]), file: "t.yaml")
            #expect(Bool(false))
        } catch {
            #expect(error.description == "t.yaml: it is not UTF-8")
        }
    }

    @Test("A value that an anchor names is read again at each alias, and an unknown alias is a fault.")
    func aliases() throws {
        let text = """
            tenants:
              main: &main { host: https://one.example, client_id: id, client_secret: { file: &file /run/secret } }
              other: *main
            default_tenant: main
            audit: { to: *file }
            """
        let configuration = try parse(text)
        #expect(configuration.tenants["other"]?.host == "https://one.example")
        #expect(configuration.audit == .file("/run/secret"))
        #expect(faults("cache: *none\n") == ["t.yaml:1: it can't be read: found undefined alias"])
    }

    @Test(
        "A fault of YAML has the line and LibYAML's reason.",
        arguments: [
            ("a: b: c", "t.yaml:1: it is not YAML: mapping values are not allowed in this context"),
            ("a:\n\t- b", "t.yaml:2: it is not YAML: found character that cannot start any token"),
            ("a: 1\n--- \nb: 2", "t.yaml:2: it can't be read: but found another document"),
            ("a: \u{1}", "t.yaml: it is not YAML"),
        ]
    )
    func syntax(text: String, fault: String) { #expect(faults(text) == [fault]) }

    @Test("Lists and mappings that lie too deep in one another are a fault.", arguments: ["[", "{ a: ", "- "])
    func depth(opening: String) {
        let text = String(repeating: opening, count: 100_000)
        #expect(faults(text) == ["t.yaml:1: it can't be read: it is nested too deeply"])
    }

    @Test("A file that can't be read is a fault that names it.")
    func unreadable() {
        do throws(ConfigurationFaults) {
            _ = try DaemonConfiguration.load("/nonexistent/t.yaml")
            #expect(Bool(false))
        } catch {
            #expect(error.description == "/nonexistent/t.yaml: it can't be read: it doesn't exist")
        }
    }

    @Test("Names in a file can't control the terminal that its faults are shown on.")
    func controls() {
        let faults = faults(#"tenants: { "a\e[31m\x9b\u2028": 4 }"#)
        #expect(!faults.isEmpty)
        #expect(faults.allSatisfy { $0.hasPrefix("t.yaml:1: tenants.a?[31m??: should be") }, "\(faults)")
    }
}
