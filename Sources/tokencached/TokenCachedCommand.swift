import ArgumentParser
import DaemonConfiguration
import Glibc
import Logging
import Secrets
import SocketServer

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
        // A file that may not grow is an error of the write, not the end of the daemon.
        signal(SIGXFSZ, SIG_IGN)
        ProcessHeap.shareAmongThreads()
        ProcessHeap.mergeFreedBlocksAtOnce()
        ProcessHeap.unmapLargeBlocks()
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
            memory: SecretMemory { $0.write(to: log) },
            accounts: AccountResolver()
        )
        let loaded: ConfigurationSource.Loaded
        do throws(ConfigurationFaults) {
            loaded = try source.load(isCheck: checkConfig)
        } catch {
            Self.complain(error.description)
            throw ExitCode(Self.wrongConfiguration)
        }
        if checkConfig { return try check(loaded) }
        try await serve(source, loaded, output, log)
    }

    private func check(_ loaded: ConfigurationSource.Loaded) throws {
        let check = ConfigurationCheck(path: config, configuration: loaded.configuration)
        for note in loaded.notes + check.notes { print(note) }
        guard check.faults.isEmpty else {
            Self.complain(ConfigurationFaults(check.faults).description)
            throw ExitCode(Self.wrongConfiguration)
        }
        print("\(config): no fault found")
    }

    private func serve(
        _ source: ConfigurationSource,
        _ loaded: ConfigurationSource.Loaded,
        _ output: LogOutput,
        _ log: Logger
    ) async throws {
        do {
            try await Daemon(source, loaded, output, log).run()
        } catch let faults as ConfigurationFaults {
            for fault in faults.faults { log.critical("the daemon can't serve", metadata: [LogKey.reason: "\(fault)"]) }
            throw ExitCode(Self.wrongConfiguration)
        } catch let error as ListeningSocketError where error.isWrongConfiguration {
            log.critical("the daemon can't serve", metadata: [LogKey.reason: "\(error)"])
            throw ExitCode(Self.wrongConfiguration)
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
