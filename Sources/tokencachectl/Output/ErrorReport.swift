package import ArgumentParser
package import TokenCacheClient

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The tool's report of a call that failed.
package struct ErrorReport: Equatable {
    /// The lines for standard error.
    package let lines: [String]
    package let exitCode: ExitCode

    /// Creates the report of an error.
    package init(_ error: TokenCacheError) {
        exitCode = ExitCode(for: error.code)
        guard error.code != .invalidConfiguration else {
            lines = Self.faults(in: error.message)
            return
        }
        let retry = error.retryAfter.map { "; try again in \($0.components.seconds) s" } ?? ""
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
