package import TokenProtocol

/// The reply to one request that waited.
package struct Delivery: Sendable, Equatable {
    /// The request's waiter.
    package let waiter: Waiter
    /// The reply that it gets.
    package let reply: Reply

    /// Creates the delivery of a reply to a waiter.
    package init(waiter: Waiter, reply: Reply) {
        self.waiter = waiter
        self.reply = reply
    }
}
