/// Names a request that waits for its reply: the connection it came on, and the ticket it got there.
package struct Waiter: Sendable, Hashable {
    /// The connection, by a number that is never given twice.
    package let connection: UInt64
    /// The request on that connection, by a number that is never given twice there.
    package let ticket: UInt64

    /// Names a request.
    package init(connection: UInt64, ticket: UInt64) {
        self.connection = connection
        self.ticket = ticket
    }
}
