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
            // The daemon reports all faults in one sentence.
            lines = error.message.components(separatedBy: "; ")
            return
        }
        let retry = error.retryAfter.map { "; try again in \($0.components.seconds) s" } ?? ""
        lines = [error.message + retry]
    }
}
