import Crypto
import DaemonConfiguration
import DaemonRuntime
import Foundation
import Logging
import Secrets
import Systemd
import Tenant
import TestSupport
import Testing

@Suite("The source of the configuration")
struct ConfigurationSourceTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try directory.write("the-secret\n", to: "secret")
    }

    /// A source whose file has one tenant with these lines.
    private func source(
        _ lines: String...,
        settings: String = "",
        requestsPath: String? = nil,
        adminPath: String? = nil,
        logLevel: Logger.Level? = nil,
        environment: [String: String] = [:],
        names: StandInNameService = StandInNameService()
    ) throws -> ConfigurationSource {
        let tenant = (["client_id: c"] + lines).map { "    \($0)" }.joined(separator: "\n")
        try directory.write("\(settings)\ntenants:\n  main:\n\(tenant)\n", to: "c.yaml")
        return ConfigurationSource(
            path: directory.path("c.yaml"),
            requestsPath: requestsPath,
            adminPath: adminPath ?? requestsPath.map { $0 + "-admin" },
            logLevel: logLevel,
            environment: environment,
            memory: SecretMemory(),
            accounts: AccountResolver(names)
        )
    }

    private var secret: String { "client_secret: { file: \(directory.path("secret")) }" }
    private static let host = "host: https://t.example"

    /// The faults of a source, without the file's path.
    private func faults(_ source: ConfigurationSource, isCheck: Bool = false) -> [String] {
        do throws(ConfigurationFaults) {
            _ = try source.load(isCheck: isCheck)
            return []
        } catch {
            return error.faults.map { $0.description.replacing(directory.path("c.yaml") + ":", with: "") }
        }
    }

    @Test("The client's secret is read from its file, without the line's end.")
    func secrets() throws {
        let loaded = try source(Self.host, secret).load()
        #expect(loaded.credentials == ["main": .secret(ClientSecret("the-secret"))])
    }

    @Test("A secret that can't be read is a fault at the line that names it.")
    func unreadable() throws {
        let fault = try faults(source(Self.host, "client_secret: { file: /none }")).first
        #expect(fault?.hasPrefix("6: tenants.main.client_secret: /none can't be read") == true, "\(fault ?? "")")
    }

    @Test("A credential comes from systemd's directory, is a fault without one, and only noted by a check.")
    func credentials() throws {
        let line = "client_secret: { credential: secret }"
        let environment = ["CREDENTIALS_DIRECTORY": directory.path]
        let loaded = try source(Self.host, line, environment: environment).load()
        #expect(loaded.credentials == ["main": .secret(ClientSecret("the-secret"))])
        #expect(
            try faults(source(Self.host, line)) == [
                "6: tenants.main.client_secret: credential 'secret' was not handed over: "
                    + "the unit needs LoadCredential=secret:PATH, or use { file: PATH }"
            ]
        )
        let checked = try source(Self.host, line).load(isCheck: true)
        #expect(checked.notes == ["the secret of tenant main was not looked for: credentials come from systemd"])
    }

    @Test("A key is read with its id, and a file without one is a fault that shows none of it.")
    func keys() throws {
        try directory.write(P384.Signing.PrivateKey().pemRepresentation, to: "key")
        let loaded = try source(Self.host, "client_key: { file: \(directory.path("key")) }", "key_id: k").load()
        guard case .key(let key) = loaded.credentials["main"] else {
            Issue.record("no key: \(loaded.credentials)")
            return
        }
        #expect(key.id == "k")
        let wrong = try faults(source(Self.host, "client_key: { file: \(directory.path("secret")) }"))
        #expect(
            wrong.first?.hasPrefix("6: tenants.main.client_key: \(directory.path("secret")) holds no private key")
                == true
        )
        #expect(!wrong.joined().contains("the-secret"))
    }

    @Test("A proxy's password is read from its file, and its faults have its line.")
    func proxyPasswords() throws {
        func proxy(_ file: String) -> String {
            "proxy: { url: 'http://p:1', user: me, password: { file: \(file) } }"
        }
        let loaded = try source(Self.host, secret, proxy(directory.path("secret"))).load()
        #expect(loaded.proxies["main"]?.credentials == ClientSecret("me:the-secret"))
        let fault = try faults(source(Self.host, secret, proxy("/none"))).first
        #expect(fault?.hasPrefix("7: tenants.main.proxy.password: /none can't be read") == true, "\(fault ?? "")")
    }

    private static let engineKey = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="

    private func fleet(_ key: String, _ more: String = "") -> String {
        "fleet: { url: 'rediss://engine', key: \(key)\(more) }"
    }

    @Test("A fleet's keys and its password are read from their files.")
    func fleetSecrets() throws {
        let other = String(repeating: "A", count: 43) + "="
        try directory.write("\(Self.engineKey)\n\(other)\n", to: "keys")
        try directory.write("\(other)\n\(Self.engineKey)", to: "reversed")
        let file = directory.path("keys")
        let settings = fleet("{ file: \(file) }", ", username: u, password: { file: \(directory.path("secret")) }")
        let loaded = try source(Self.host, secret, settings: settings).load()
        #expect(loaded.fleet?.password == ClientSecret("the-secret"))
        #expect(try loaded.fleet == source(Self.host, secret, settings: settings).load().fleet)
        let reversed = settings.replacing(file, with: directory.path("reversed"))
        #expect(try source(Self.host, secret, settings: reversed).load().fleet != loaded.fleet)
        #expect(try source(Self.host, secret).load().fleet == nil)
    }

    @Test("A fault of a fleet's keys names the file, the line and the reason, and shows none of them.")
    func fleetFaults() throws {
        try directory.write("\(Self.engineKey)\nc2VjcmV0\n", to: "keys")
        let file = directory.path("keys")
        #expect(
            try faults(source(Self.host, secret, settings: fleet("{ file: \(file) }")))
                == ["1: fleet.key: \(file): line 2 is not 32 bytes in base64"]
        )
        let missing = fleet("{ credential: fleet-key }", ", username: u, password: { file: /none }")
        let found = try faults(source(Self.host, secret, settings: missing))
        #expect(found.count == 2 && found[0].hasPrefix("1: fleet.password: /none can't be read"), "\(found)")
        #expect(
            found.last == "1: fleet.key: credential 'fleet-key' was not handed over: "
                + "the unit needs LoadCredential=fleet-key:PATH, or use { file: PATH }"
        )
        let checked = try source(Self.host, secret, settings: fleet("{ credential: fleet-key }")).load(isCheck: true)
        #expect(checked.fleet == nil)
        #expect(checked.notes == ["the key of the fleet was not looked for: credentials come from systemd"])
    }

    @Test("The environment's proxy is used if the configuration says so, but not for a tenant that is an address.")
    func environmentProxy() throws {
        let environment = ["https_proxy": "http://p:1"]
        #expect(try source(Self.host, secret, environment: environment).load().proxies.isEmpty)
        let loaded = try source(Self.host, secret, "proxy: environment", environment: environment).load()
        #expect(loaded.proxies["main"]?.host == "p")
        let address = try source("host: https://192.0.2.1", secret, "proxy: environment", environment: environment)
        #expect(faults(address).first?.hasPrefix("7: tenants.main.proxy: needs a name in host") == true)
    }

    @Test("The command line's paths and level replace the file's.")
    func commandLine() throws {
        let settings = "log: { level: debug }"
        let plain = try source(Self.host, secret, settings: settings).load().configuration
        #expect(plain.logLevel == .debug && plain.sockets.requests.path == "/run/tokencached/tokencached.sock")
        let replaced = try source(Self.host, secret, settings: settings, requestsPath: "/r", logLevel: .error)
            .load().configuration
        #expect(replaced.logLevel == .error)
        #expect(replaced.sockets.requests.path == "/r" && replaced.sockets.admin.path == "/r-admin")
    }

    @Test("The command line can't give both sockets one path.")
    func onePath() throws {
        let admin = "/s"
        let source = try source(Self.host, secret, requestsPath: admin, adminPath: admin)
        let faults = #expect(throws: ConfigurationFaults.self) { try source.load() }
        #expect(faults?.description.contains("sockets.admin.path: should differ") == true)
    }

    @Test("Names that this machine doesn't know are noted, and no fault.")
    func unknownNames() throws {
        let names = StandInNameService(users: ["ann": 5])
        let settings = "access: [{ users: [ann, bob], groups: [staff] }]\nadmin: { users: [ann, cid] }"
        let loaded = try source(Self.host, secret, settings: settings, names: names).load()
        #expect(
            loaded.notes == [
                "access[0] (line 1) names user 'bob', group 'staff', which this machine doesn't know now: "
                    + "until it does, a peer that could be meant gets only what the rules before it give",
                "admin.users names user 'cid', which this machine doesn't know now: it matches nobody",
            ]
        )
    }

    @Test("All faults of the secrets are reported at once, and those of the file itself before them.")
    func severalFaults() throws {
        let lines = [
            "client_secret: { file: /none }", "proxy: { url: 'http://p:1', user: u, password: { file: /no } }",
        ]
        let both = try faults(source(Self.host, lines[0], lines[1]))
        #expect(both.map { $0.prefix(2) } == ["6:", "7:"])
        #expect(try faults(source(Self.host, lines[0], "colour: red")).map { $0.prefix(2) } == ["7:"])
    }

    // MARK: The check

    private func check(_ lines: String..., settings: String) throws -> ConfigurationCheck {
        let tenant = [Self.host, "client_id: c", "client_secret: { file: /s }"] + lines
        let text = "\(settings)\ntenants:\n  main:\n" + tenant.map { "    \($0)\n" }.joined()
        let configuration = try DaemonConfiguration.parse(Data(text.utf8), file: "c.yaml")
        return ConfigurationCheck(path: "c.yaml", configuration: configuration)
    }

    @Test("The check finds an audit file, a group and a file of authorities that the daemon could not use.")
    func namedThings() throws {
        #expect(
            try check(settings: "audit: { to: /none/x }").faults.first?.description
                .hasPrefix("c.yaml:1: audit.to: /none/x can't be created") == true
        )
        let group = "sockets: { admin: { path: /x, group: no-such-group } }"
        #expect(
            try check(settings: group).faults.map(\.description)
                == ["c.yaml:1: sockets.admin.group: this machine knows no group 'no-such-group'"]
        )
        #expect(
            try check("ca_file: /none", settings: "").faults.map(\.description)
                == ["c.yaml:7: tenants.main.ca_file: /none can't be read as certificates in PEM form"]
        )
        let engine = "fleet: { url: 'rediss://engine', key: { file: /k }, ca_file: /none }"
        #expect(
            try check(settings: engine).faults.map(\.description)
                == ["c.yaml:1: fleet.ca_file: /none can't be read as certificates in PEM form"]
        )
        #expect(try check(settings: "audit: { to: none }").faults.isEmpty)
    }

    @Test("The check notes settings that hardly anybody wants.")
    func notes() throws {
        #expect(try check(settings: "access: []").notes == ["access has no rules: no app may ask for anything"])
        #expect(
            try check(settings: #"access: [{ subjects: ["*"] }, { users: [root] }]"#).notes
                == ["access[0] names no users, groups or units: it matches nobody"]
        )
        let open = #"sockets: { requests: { path: /x, mode: "0666" } }"#
        #expect(try check(settings: open).notes.first?.hasPrefix("sockets.requests is open to every user") == true)
        #expect(try check(settings: open + "\naccess: [{ users: [root] }]").notes.isEmpty)
        #expect(try check(settings: "").notes.isEmpty)
    }
}
