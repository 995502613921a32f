package import ArgumentParser

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// `fleet new-key`: prints a key for the file that `fleet.key` names.
package struct FleetNewKey: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "new-key",
        abstract: "Print a new key of a fleet, from the system's generator of random numbers.",
        discussion: """
            The key is a line for the file or credential that fleet.key names: 32 bytes in base64. The daemon is not \
            asked. The machines' files need the same lines.
            """
    )

    /// The size of a key for AES-256.
    private static let size = 32

    package init() {}

    package func run() async throws {
        var generator = SystemRandomNumberGenerator()
        try Terminal.write(Self.key(from: &generator))
    }

    /// Makes a key's line of random bytes.
    package static func key(from generator: inout some RandomNumberGenerator) -> String {
        Data((0..<size).map { _ in UInt8.random(in: .min ... .max, using: &generator) }).base64EncodedString()
    }
}
