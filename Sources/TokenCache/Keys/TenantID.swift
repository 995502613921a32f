/// The identity of a tenant and its client.
///
/// Only the number counts. A reload that changes a tenant's host or client, or removes it, retires the number forever.
/// So nothing that was started for one origin can reach another. The name is for display.
package struct TenantID: Sendable, Hashable {
    /// A number that is unique while the daemon runs.
    package let number: UInt32
    /// The tenant's name in the configuration.
    package let name: String

    /// Creates an ID with a number that was never used before.
    package init(number: UInt32, name: String) {
        self.number = number
        self.name = name
    }

    /// Compares the numbers.
    package static func == (left: TenantID, right: TenantID) -> Bool { left.number == right.number }

    /// Hashes the number.
    package func hash(into hasher: inout Hasher) { hasher.combine(number) }
}
