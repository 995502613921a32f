import Foundation
import StandInTenant
import TestSupport
import Testing

/// The real daemon beside a stand-in tenant, on sockets in a temporary directory.
final class Deployment {
    let directory: TemporaryDirectory
    let tenant: StandInTenant
    private let environment: [String: String]
    private(set) var daemon: Program
    var requestsPath: String { directory.path("r") }
    var adminPath: String { directory.path("a") }
    var configurationPath: String { directory.path("c.yaml") }
    private var earlierOutput = ""

    /// - Parameters:
    ///   - settings: Further lines of the configuration's outermost level.
    ///   - options: Further lines of the tenant's section.
    ///   - secret: The content of the credential's file, by default the tenant's secret.
    ///   - credentialKey: The configuration's key for the kind of credential.
    static func start(
        _ standIn: StandInTenant.Configuration = .init(),
        settings: String = "",
        options: String = "",
        secret: String? = nil,
        credentialKey: String = "client_secret",
        environment: [String: String] = [:]
    ) async throws -> Deployment {
        let tenant = try await StandInTenant.start(standIn)
        do {
            return try Deployment(
                tenant,
                settings,
                options,
                secret ?? tenant.clientSecret,
                credentialKey,
                environment
            )
        } catch {
            try await tenant.stop()
            throw error
        }
    }

    private init(
        _ tenant: StandInTenant,
        _ settings: String,
        _ options: String,
        _ secret: String,
        _ credentialKey: String,
        _ environment: [String: String]
    ) throws {
        self.tenant = tenant
        self.environment = environment
        directory = try TemporaryDirectory()
        try directory.write(secret + "\n", to: "secret")
        try directory.write(tenant.certificateAuthorityPEM, to: "ca.pem")
        try directory.write(
            Self.configuration(tenant, directory, settings: settings, options: options, credentialKey: credentialKey),
            to: "c.yaml"
        )
        daemon = try Self.launch(directory, environment)
    }

    static func configuration(
        _ tenant: StandInTenant,
        _ directory: TemporaryDirectory,
        settings: String = "",
        options: String = "",
        credentialKey: String = "client_secret"
    ) -> String {
        """
        log: { level: trace }
        \(settings)
        tenants:
          main:
            host: \(tenant.baseURL)
            client_id: \(tenant.clientID)
            \(credentialKey): { file: \(directory.path("secret")) }
            \(tenant.baseURL.hasPrefix("https") ? "ca_file: \(directory.path("ca.pem"))" : "")
        \(options.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n"))

        """
    }

    private static func launch(_ directory: TemporaryDirectory, _ environment: [String: String]) throws -> Program {
        let daemon = try Program(
            "tokencached",
            [
                "--config", directory.path("c.yaml"), "--socket", directory.path("r"), "--admin-socket",
                directory.path("a"),
            ],
            environment: environment
        )
        _ = try #require(daemon.waitForOutput("the daemon serves"), "the daemon should come up: \(daemon.written)")
        return daemon
    }

    /// Everything that the daemon has written.
    var written: String { earlierOutput + daemon.written }

    /// Ends the daemon and starts another.
    func restart() throws {
        daemon.signal(SIGTERM)
        #expect(daemon.waitForEnd() == 0)
        earlierOutput += daemon.written
        daemon = try Self.launch(directory, environment)
    }

    /// Ends both.
    ///
    /// The daemon has to exit with 0, and the tenant must have received correct requests only.
    func stop() async throws {
        daemon.signal(SIGTERM)
        #expect(daemon.waitForEnd() == 0, "\(daemon.written.suffix(4_000))")
        #expect(await tenant.violations.isEmpty)
        try await tenant.stop()
    }

    func requests() throws -> LineClient { try LineClient(requestsPath) }

    func admin() throws -> LineClient { try LineClient(adminPath) }

    /// Makes one request for a token, on a new connection.
    func token(_ subject: String, _ members: String = "") throws -> [String: Any] {
        try requests().ask(Self.line(subject, members))
    }

    static func line(_ subject: String, _ members: String = "") -> String {
        #"{"op":"token","subject":"\#(subject)"\#(members.isEmpty ? "" : ",\(members)")}"#
    }

    /// The variables that name the sockets for the operator's tool.
    var controlEnvironment: [String: String] {
        ["TOKENCACHED_SOCKET": requestsPath, "TOKENCACHED_ADMIN_SOCKET": adminPath]
    }

    /// Runs the operator's tool.
    func control(_ arguments: String..., input: String? = nil) throws -> (status: Int32, output: String) {
        try Program.run("tokencachectl", arguments, environment: controlEnvironment, input: input)
    }
}
