import ArgumentParser
import DaemonConfiguration
import Logging
import Secrets

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

// tokencached: the daemon. It wires the rooms of the house together and holds no logic of its own.

/// The daemon's command line.
@main
struct TokenCachedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokencached",
        abstract: "Keeps users' OAuth impersonation tokens for local applications.",
        discussion: """
            Applications ask for tokens on a Unix socket, one JSON object a line; operators on another. SIGHUP reads the \
            configuration again; SIGTERM and SIGINT end the daemon after it has answered what is under way.

            Exit status: 0 after a drain; 64 for a wrong command line; 78 for a wrong configuration; 1 for anything \
            else that keeps it from serving.
            """,
        version: Version.current
    )

    /// EX_CONFIG of sysexits.h.
    static let wrongConfiguration: Int32 = 78

    @Option(help: "The configuration file.")
    var config = "/etc/tokencached/tokencached.yaml"

    @Option(help: "The path of the apps' socket, where systemd hands none over.")
    var socket: String?

    @Option(help: "The path of the operators' socket, where systemd hands none over.")
    var adminSocket: String?

    @Flag(help: "Check the configuration, say what is wrong with it, and end.")
    var checkConfig = false

    @Option(help: "How much is logged: trace, debug, info, notice, warning, error, critical.")
    var logLevel: DaemonConfiguration.LogLevel?

    func run() async throws {
        ProcessSecrecy.begin()
        ProcessHeap.shareAmongThreads()
        ProcessHeap.mergeFreedBlocksAtOnce()
        ProcessHeap.overwriteFreedMemory()
        let output = LogOutput.standardError()
        let log = Logger(label: "tokencached") { _ in DaemonLogHandler(output) }
        defer { output.flush() }
        let source = ConfigurationSource(
            path: config,
            requestsPath: socket.map(absolute),
            adminPath: adminSocket.map(absolute),
            logLevel: logLevel,
            environment: ProcessInfo.processInfo.environment,
            memory: SecretMemory { $0.write(to: log) }
        )
        let loaded: ConfigurationSource.Loaded
        do throws(ConfigurationFaults) {
            loaded = try source.load(isCheck: checkConfig)
        } catch {
            Self.complain(error.description)
            throw ExitCode(Self.wrongConfiguration)
        }
        if checkConfig {
            for note in loaded.notes { print(note) }
            return print("\(config): no fault found")
        }
        try await serve(source, loaded, output, log)
    }

    private func serve(
        _ source: ConfigurationSource,
        _ loaded: ConfigurationSource.Loaded,
        _ output: LogOutput,
        _ log: Logger
    ) async throws {
        do {
            try await Daemon(source, loaded, output, log).run()
        } catch {
            log.critical("the daemon can't serve", metadata: [LogKey.reason: "\(error)"])
            throw ExitCode.failure
        }
    }

    private func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    private static func complain(_ text: String) {
        for line in text.split(separator: "\n") { LogOutput.put("tokencached: \(line)\n") }
    }
}

extension DaemonConfiguration.LogLevel: ExpressibleByArgument {}

extension SecretMemory.Shortage {
    /// Says in the log what to do about it.
    fileprivate func write(to log: Logger) {
        guard let limit else {
            return log.warning("memory that holds secrets can't be locked: it may be swapped")
        }
        log.warning(
            "memory that holds secrets can't all be locked and may be swapped: raise LimitMEMLOCK= (RLIMIT_MEMLOCK)",
            metadata: [LogKey.size: "\(size)", LogKey.limit: "\(limit)"]
        )
    }
}
