import ArgumentParser
import LoadGenerator
import SocketServer
import SystemPackage
import TokenCacheClient
import UnixSignals

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// `bench`: puts load on the applications' socket and prints throughput and latencies.
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure how many cached tokens the daemon hands out, and how fast.",
        discussion: """
            Each connection keeps a number of requests in flight, and sends the next one when a reply has come. While the \
            daemon pauses, nothing more is sent. So a pause shows in the longest times, but counts for fewer requests \
            than it would with independent users.

            At first the tokens are requested once. A token that isn't cached is minted, which costs a call to the \
            tenant. With --keys above 1, which needs --allow-mints, do this with a stand-in tenant only.

            The generator takes processors, too. On a machine with few of them, the daemon has less than it would have \
            without it.

            Ctrl-C ends the measurement early. The exit status is 0 if every reply had a token and no connection was \
            lost, and otherwise 1, or that of the first error.
            """
    )

    @OptionGroup var sockets: SocketOptions

    @Option(help: "The user whose token is requested.")
    var subject: String?

    @Option(help: "With --keys: the beginning of the users' subjects, followed by a number from 1.")
    var subjectPrefix: String?

    @Option(help: "The number of users whose tokens are requested.")
    var keys = 1

    @Option(help: "The tenant's name in the daemon's configuration.")
    var tenant: String?

    @Option(help: "The number of connections.")
    var connections = 16

    @Option(help: "The number of requests in flight on each connection.")
    var pipeline = 1

    @Option(help: "The time to measure, in seconds.")
    var seconds = 5.0

    @Option(help: "The number of threads that make the load. By default half the processors.")
    var threads: Int?

    @Flag(help: "Allow a call to the tenant for each user whose token isn't cached.")
    var allowMints = false

    @Flag(help: "Print the result as JSON.")
    var json = false

    func validate() throws {
        guard (subject == nil) != (subjectPrefix == nil) else {
            throw ValidationError("Name one user with --subject, or several with --subject-prefix and --keys.")
        }
        guard keys == 1 || subjectPrefix != nil && allowMints else {
            throw ValidationError(
                "Several keys need --subject-prefix, and --allow-mints, as each token that isn't cached costs a call to "
                    + "the tenant."
            )
        }
        let ranges = [("keys", keys, 1...1_000_000), ("connections", connections, 1...65_536)]
        for (name, value, range) in ranges + [("pipeline", pipeline, 1...1_000), ("threads", threads ?? 1, 1...1_024)] {
            guard range.contains(value) else {
                throw ValidationError("--\(name) must be from \(range.lowerBound) to \(range.upperBound).")
            }
        }
        guard (0.1...86_400).contains(seconds) else { throw ValidationError("--seconds must be from 0.1 to 86400.") }
    }

    func run() async throws {
        let subjects = subject.map { [$0] } ?? (1...keys).map { "\(subjectPrefix ?? "")\($0)" }
        let mints = try await warm(subjects)
        let settings = LoadSettings(
            path: sockets.path(of: .requests),
            connections: connections,
            pipeline: pipeline,
            time: .seconds(seconds),
            threads: threads ?? max(1, ProcessInfo.processInfo.activeProcessorCount / 2)
        )
        let load = Load(settings, try RequestLines(subjects: subjects, tenant: tenant))
        let measurement: Measurement
        do {
            measurement = try await measure(load)
        } catch let fault as UnixConnection.Fault {
            let reason = Errno(rawValue: fault.code)
            throw Terminal.report(TokenCacheError(.unreachable, "a connection to \(settings.path) failed: \(reason)"))
        }
        let report = LoadReport(measurement, settings, keys: keys, mints: mints)
        try Terminal.write(json ? report.json : LoadReportView(report, display: .standardOutput).text)
        if !report.isClean { throw ExitCode.failure }
    }

    /// Runs a load until its end or until Ctrl-C.
    private func measure(_ load: Load) async throws -> Measurement {
        // The signal is caught before the load begins.
        let signals = await UnixSignalsSequence(trapping: .sigint)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in signals { load.stop() } }
            defer { group.cancelAll() }
            return try await load.run()
        }
    }

    // MARK: Tokens

    /// The requests that are under way together before the measurement.
    private static let together = 16

    /// Requests each user's token once and checks the replies.
    ///
    /// - Returns: The number of tokens that the tenant minted for that.
    private func warm(_ subjects: [String]) async throws -> Int {
        do {
            return try await sockets.withClient(of: .requests) { client in
                try await withThrowingTaskGroup(of: Bool.self) { group in
                    var mints = 0
                    for (index, subject) in subjects.enumerated() {
                        if index >= Self.together, try await group.next() == true { mints += 1 }
                        group.addTask {
                            try await client.token(for: .subject(subject), tenant: tenant).source == .tenant
                        }
                    }
                    for try await isMint in group where isMint { mints += 1 }
                    return mints
                }
            }
        } catch let error as TokenCacheError {
            throw Terminal.report(error)
        }
    }
}
