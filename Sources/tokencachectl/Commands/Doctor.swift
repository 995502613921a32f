import ArgumentParser
import Doctor
import Secrets
import TokenCacheClient

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// `doctor`: examines the installation, and says for each step what was found and what to do.
struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Examine the installation from the configuration to a token, and say what to do.",
        discussion: """
            The steps are in an order in which the first failure is the cause of later ones. Run it as root to see \
            everything; steps that this user can't do are skipped. The tenant gets one request without credentials. With \
            --subject the daemon is asked for that user's token, which may cost one call to the tenant. No token and no \
            secret is printed. If a step is done for many tenants or files, only the first that pass have lines of their \
            own, and the others are counted; --json has all.

            Exit status: 0 nothing has failed, though there may be warnings; 1 something has failed.
            """
    )

    @OptionGroup var sockets: SocketOptions

    @Option(help: "The configuration file. By default it is that of the unit, or else of the package.")
    var config: String?

    @Option(help: "Examine this tenant only.")
    var tenant: String?

    @Option(help: "Ask the daemon for this user's token, too.")
    var subject: String?

    @Flag(help: "Print the findings as JSON.")
    var json = false

    func run() async throws {
        ProcessSecrecy.begin()
        let view = DiagnosisView(style: .standardOutput)
        var passed = PassedSteps()
        let diagnosis = try await Examination(settings).run { finding in
            guard !json else { return }
            for finding in passed.add(finding) { try Terminal.write(view.text(of: finding)) }
        }
        for finding in passed.takeSummaries() { try Terminal.write(view.text(of: finding)) }
        try Terminal.write(json ? Self.json(diagnosis) : view.summary(of: diagnosis))
        if diagnosis.firstFailure != nil { throw ExitCode.failure }
    }

    private var settings: Examination.Settings {
        let environment = ProcessInfo.processInfo.environment
        let path = { (variable: String) in environment[variable].flatMap { $0.isEmpty ? nil : $0 } }
        var settings = Examination.Settings(toolVersion: TokenCacheControl.configuration.version)
        settings.configuration = config
        settings.tenant = tenant
        settings.subject = subject
        settings.requestsPath = sockets.socket ?? path("TOKENCACHED_SOCKET")
        settings.adminPath = sockets.adminSocket ?? path("TOKENCACHED_ADMIN_SOCKET")
        settings.environment = environment
        return settings
    }

    private static func json(_ diagnosis: Diagnosis) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(diagnosis), as: UTF8.self)
    }
}
