#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The requests of a load as bytes, one line for each user.
package struct RequestLines: Sendable {
    private struct Request: Encodable {
        let op = "token"
        let subject: String
        let tenant: String?
    }

    let lines: [[UInt8]]

    /// Creates the requests for a token of each subject.
    package init(subjects: [String], tenant: String?) throws {
        let encoder = JSONEncoder()
        // The members in the usual order, with which the daemon answers hits on its short path.
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        lines = try subjects.map { subject in
            Array(try encoder.encode(Request(subject: subject, tenant: tenant))) + [0x0A]
        }
    }
}
