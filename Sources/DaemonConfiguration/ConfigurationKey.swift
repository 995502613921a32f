#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A key of the configuration file, as the reference describes it.
package struct ConfigurationKey: Sendable, Equatable, Codable {
    /// The key, without the keys that enclose it.
    package let name: String
    /// The form of the value: its kind and its range.
    package let form: String
    /// The value that holds without the key, as the file would have it, or nil if there is none.
    package var defaultValue: String?
    /// True if the key has to be there.
    package var isRequired = false
    /// The purpose, in one or more sentences, with code between backquotes.
    package let summary: String
    /// The keys of a section, a rule or a tenant.
    package var keys: [ConfigurationKey] = []

    /// All keys of the file, in the order of the reference.
    package static var all: [ConfigurationKey] {
        FileSettings.all.map { $0.describe(DaemonConfiguration()) }
    }

    /// All keys as JSON, from which the manual and the reference are made.
    package static var json: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(all), as: UTF8.self)
        }
    }
}
