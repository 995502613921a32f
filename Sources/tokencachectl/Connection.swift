import ArgumentParser
import SafeText
import SystemPackage
package import TokenCacheClient

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A request to the daemon.
typealias ClientRequest = TokenCacheClient.Request

/// The options that say where the daemon is.
struct SocketOptions: ParsableArguments {
    @Option(help: "The apps' socket.")
    var socket: String?

    @Option(help: "The operators' socket.")
    var adminSocket: String?

    /// Makes one request on the apps' socket.
    func ask(_ request: ClientRequest) async throws -> Data {
        try await perform(request, socket ?? TokenCacheClient.SocketPath.requests)
    }

    /// Makes one request on the operators' socket.
    func askAdmin(_ request: ClientRequest) async throws -> Data {
        try await perform(request, adminSocket ?? TokenCacheClient.SocketPath.admin)
    }

    /// A page of a thousand entries with the longest names is well below it.
    private static let longestReply = 16 * 1_024 * 1_024

    private func perform(_ request: ClientRequest, _ path: String) async throws -> Data {
        do {
            let client = TokenCacheClient(path: path, restartGrace: .zero, longestReply: Self.longestReply)
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
        let retry = error.retryAfter.map { "; try again in \($0.components.seconds) s" } ?? ""
        // The faults of a configuration come in one sentence; here each gets a line of its own.
        for line in error.message.components(separatedBy: "; ")
        where error.code == .invalidConfiguration {
            Output.complain(line)
        }
        if error.code != .invalidConfiguration { Output.complain(error.message + retry) }
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
    /// EX_IOERR of sysexits.h.
    private static let failed: Int32 = 74

    /// A line of the answer.
    ///
    /// - Throws: Where it could not be written: a script must not take a part for the whole.
    static func put(_ text: String) throws(ExitCode) {
        do throws(Errno) {
            try write(text + "\n", to: .standardOutput)
        } catch {
            // A reader that has gone, such as a pager, wants no more, and no complaint.
            if error != .brokenPipe { complain("the answer can't be written: \(error)") }
            throw ExitCode(failed)
        }
    }

    /// A reply as it came.
    static func put(json reply: Data) throws(ExitCode) { try put(String(decoding: reply, as: UTF8.self).printableJSON) }

    /// A line about what went wrong.
    static func complain(_ text: String) { try? write("tokencachectl: \(text.printable)\n", to: .standardError) }

    private static func write(_ text: String, to descriptor: FileDescriptor) throws(Errno) {
        do { try descriptor.writeAll(text.utf8) } catch { throw error as? Errno ?? .ioError }
    }
}
