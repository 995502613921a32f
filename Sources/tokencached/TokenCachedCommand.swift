public import ArgumentParser
import DaemonConfiguration
import DaemonRuntime
import Glibc
public import Logging
import Secrets

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

// tokencached: the daemon's program. It has the command line, and the settings of the process itself.

/// The daemon's command line.
@main
struct TokenCachedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokencached",
        abstract: "Caches users' OAuth impersonation tokens for local applications.",
        discussion: """
            Applications send requests on a Unix socket, one JSON object a line. Operators use another socket. On SIGHUP \
            the daemon reads the configuration again. On SIGTERM and SIGINT it answers the requests in progress, and ends.

            Exit status: 0 ended by a signal; 64 wrong command line; 78 wrong configuration; 1 another fault that \
            prevents the daemon from serving.
            """,
        version: Version.current
    )

    @Option(help: "The configuration file.", completion: .file())
    var config = "/etc/tokencached/tokencached.yaml"

    @Option(help: "The path of the applications' socket, if systemd hands none over.", completion: .file())
    var socket: String?

    @Option(help: "The path of the operators' socket, if systemd hands none over.", completion: .file())
    var adminSocket: String?

    @Flag(help: "Check the configuration, print its faults, and exit.")
    var checkConfig = false

    @Option(help: "The level of the log. It overrides the configuration.")
    var logLevel: Logger.Level?

    // The manual and the reference are made from it.
    @Flag(help: ArgumentHelp("Print the keys of the configuration as JSON, and exit.", visibility: .hidden))
    var dumpConfigurationKeys = false

    /// Prepares the process, and runs the command.
    ///
    /// The settings of the heap have no effect on threads that use it already, so they come before all others.
    static func main() async {
        prepareProcess()
        await main(nil)
    }

    func run() async throws {
        if dumpConfigurationKeys { return print(try ConfigurationKey.json) }
        let output = LogOutput()
        let log = Logger(label: "tokencached") { _ in DaemonLogHandler(output) }
        defer { output.flush() }
        let source = source(log)
        let loaded: LoadedConfiguration
        do throws(ConfigurationFaults) {
            loaded = try source.load(isCheck: checkConfig)
        } catch {
            throw Self.complain(error)
        }
        if checkConfig { return try check(loaded) }
        EarlySignals.begin()
        do {
            try await DaemonRuntime(source, loaded, output, log).run()
        } catch {
            throw ExitCode(ExitStatus.report(error, to: log).rawValue)
        }
    }

    private static func prepareProcess() {
        ProcessSecrecy.begin()
        // A file that may not grow is an error of the write, not the end of the daemon.
        signal(SIGXFSZ, SIG_IGN)
        ProcessHeap.shareAmongThreads()
        ProcessHeap.mergeFreedBlocksAtOnce()
        ProcessHeap.unmapLargeBlocks()
        ProcessHeap.overwriteFreedMemory()
    }

    private func source(_ log: Logger) -> ConfigurationSource {
        ConfigurationSource(
            path: config,
            requestsPath: socket.map(absolute),
            adminPath: adminSocket.map(absolute),
            logLevel: logLevel,
            environment: ProcessInfo.processInfo.environment,
            memory: SecretMemory { $0.write(to: log) },
            accounts: AccountResolver()
        )
    }

    private func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    private func check(_ loaded: LoadedConfiguration) throws {
        let check = ConfigurationCheck(path: config, configuration: loaded.configuration)
        for note in loaded.notes + check.notes { print(note) }
        let faults = check.faults
        guard faults.isEmpty else { throw Self.complain(ConfigurationFaults(faults, mainFile: config)) }
        print("\(config): no fault found")
    }

    /// Writes faults to standard error, and returns the status to exit with.
    private static func complain(_ faults: ConfigurationFaults) -> ExitCode {
        for line in faults.description.split(separator: "\n") {
            StandardError.put("tokencached: \(line)\n")
        }
        return ExitCode(ExitStatus.wrongConfiguration.rawValue)
    }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
