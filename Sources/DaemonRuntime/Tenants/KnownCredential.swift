package import DaemonConfiguration
package import Systemd
package import Tenant
package import TokenCache

/// A client's credential, and the last look at the file that it comes from.
package struct KnownCredential: Sendable {
    /// The least time between two reads of an unchanged file: a tenant that refuses everybody causes no disk traffic.
    private static let lookInterval = Duration.seconds(1)

    /// The credential that calls are made with.
    package var credential: ClientCredential
    /// The file or systemd credential that it was read from.
    package let source: DaemonConfiguration.Credential
    private var lastLook: Instant?
    /// The state of the file at the last look.
    private var stamp: SecretFile.Stamp?

    /// Creates a known credential of a configuration that was just read.
    package init(_ credential: ClientCredential, from source: DaemonConfiguration.Credential) {
        self.credential = credential
        self.source = source
    }

    /// Returns true if the file is to be read again, and records the look.
    ///
    /// - Parameter stamp: The present state of the file. It is cheap to get, so a change is found even right after
    ///   another look.
    package mutating func beginLook(_ stamp: SecretFile.Stamp?, now: Instant) -> Bool {
        if let lastLook, now - lastLook < Self.lookInterval, stamp == self.stamp { return false }
        (lastLook, self.stamp) = (now, stamp)
        return true
    }

    /// Continues the pause between looks of the previous configuration's credential.
    package mutating func inheritLook(from other: KnownCredential?) { lastLook = other?.lastLook }
}
