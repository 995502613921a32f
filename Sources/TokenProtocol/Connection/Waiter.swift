/// Identifies a request that waits for its reply, by its connection and its ticket there.
package struct Waiter: Sendable, Hashable {
    /// The connection's number, which is never used again.
    package let connection: UInt64
    /// The request's number on that connection, which is never used again there.
    package let ticket: UInt64

    /// Creates an identifier.
    package init(connection: UInt64, ticket: UInt64) {
        self.connection = connection
        self.ticket = ticket
    }
}
