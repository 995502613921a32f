package import ArgumentParser
package import TokenCacheClient

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The tool's report of a call that failed.
package struct ErrorReport: Equatable {
    /// The lines for standard error that say what failed.
    package let lines: [String]
    /// Lines that follow: the tenant's own words, and what to do next.
    package let details: [String]
    package let exitCode: ExitCode

    /// Creates the report of an error.
    ///
    /// - Parameters:
    ///   - error: The error.
    ///   - context: The circumstances of the call, or nil if no advice is wanted.
    package init(_ error: TokenCacheError, _ context: ErrorContext? = nil) {
        exitCode = ExitCode(for: error.code)
        let upstream = error.upstream.flatMap {
            UpstreamText(status: $0.status, code: $0.code, title: $0.title, isDenial: error.code == .denied).text
        }
        let advice = context.flatMap { ErrorAdvice(error, $0).text }
        details = [upstream, advice.map { "next: \($0)" }].compactMap(\.self)
        guard error.code != .invalidConfiguration else {
            lines = Self.faults(in: error.message)
            return
        }
        let retry = error.retryAfter.map { "; try again in \($0.wholeSecondsUp) s" } ?? ""
        lines = [error.message + retry]
    }

    /// Splits the faults of a configuration, which the daemon joins by semicolons.
    ///
    /// A fault can contain a semicolon itself. But each begins with the path of the same file and a colon.
    private static func faults(in message: String) -> [String] {
        let path = message.prefix { $0 != ":" }
        let faults = message.components(separatedBy: "; \(path):")
        return faults.prefix(1) + faults.dropFirst().map { "\(path):\($0)" }
    }
}

extension Duration {
    /// The number of whole seconds, rounded up, as whoever comes back earlier comes too early.
    fileprivate var wholeSecondsUp: Int64 {
        let (seconds, attoseconds) = components
        return attoseconds > 0 ? seconds + 1 : seconds
    }
}
