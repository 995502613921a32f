import ArgumentParser
import Glibc
package import TokenCacheClient

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The options that say where the daemon is.
struct SocketOptions: ParsableArguments {
    @Option(help: "The apps' socket.")
    var socket: String?

    @Option(help: "The operators' socket.")
    var adminSocket: String?

    /// Makes one request on the apps' socket.
    func ask(_ request: ClientRequest) async throws -> Data {
        try await perform(request, socket ?? SocketPath.requests)
    }

    /// Makes one request on the operators' socket.
    func askAdmin(_ request: ClientRequest) async throws -> Data {
        try await perform(request, adminSocket ?? SocketPath.admin)
    }

    /// A page of a thousand entries with the longest names is well below it.
    private static let longestReply = 16 * 1_024 * 1_024

    private func perform(_ request: ClientRequest, _ path: String) async throws -> Data {
        do {
            let client = TokenCacheClient(path: path, waitsForDaemon: false, longestReply: Self.longestReply)
            let reply: Result<Data, any Error>
            do { reply = .success(try await client.call(request)) } catch { reply = .failure(error) }
            await client.close()
            return try reply.get()
        } catch let error as TokenCacheError {
            throw Self.explain(error)
        }
    }

    /// Says on standard error what went wrong; the exit status is for scripts.
    private static func explain(_ error: TokenCacheError) -> ExitCode {
        let retry = error.retryAfter.map { "; try again in \(Int($0)) s" } ?? ""
        // The faults of a configuration come in one sentence; here each gets a line of its own.
        for line in error.description.components(separatedBy: "; ")
        where error.code == .invalidConfiguration {
            Output.complain(line)
        }
        if error.code != .invalidConfiguration { Output.complain(error.description + retry) }
        return ExitCode(ExitStatus.of(error.code))
    }
}

/// What a call's error means to a script, by sysexits.h.
package enum ExitStatus {
    /// The status.
    package static func of(_ code: TokenCacheError.Code) -> Int32 {
        switch code {
        case .invalidRequest, .unsupportedOperation: 65
        case .unreachable: 69
        case .timeout, .rateLimited, .unavailable, .overloaded, .shuttingDown: 75
        case .badReply, .badUpstream: 76
        case .denied, .forbidden: 77
        case .invalidConfiguration, .unknownTenant: 78
        default: 1
        }
    }
}

/// Standard output and error.
enum Output {
    /// A line of the answer.
    static func put(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }

    /// A line about what went wrong.
    static func complain(_ text: String) { write("tokencachectl: \(text)\n", to: STDERR_FILENO) }

    private static func write(_ text: String, to descriptor: Int32) {
        var text = text
        text.withUTF8 { bytes in
            var written = 0
            while written < bytes.count {
                let count = unsafe Glibc.write(
                    descriptor,
                    bytes.baseAddress.map { unsafe $0 + written },
                    bytes.count - written
                )
                // A reader that has gone, such as a pager, wants no more.
                guard count > 0 || errno == EINTR else { return }
                written += max(0, count)
            }
        }
    }
}
