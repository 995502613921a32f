/// What a connection does for one reply, step by step.
///
/// A reply is bytes and pauses rather than an HTTP message, so that every misbehaviour of a server can be told as one.
/// After the last step the connection is ready for the next request, unless that step ended it.
package struct ReplyScript: Sendable, Equatable {
    /// One step.
    package enum Step: Sendable, Equatable {
        /// Writes bytes.
        case send([UInt8])
        /// Waits.
        case wait(Duration)
        /// Writes bytes one by one, waiting before each.
        case drip([UInt8], pause: Duration)
        /// Writes the same piece again and again, each time after the last was taken.
        case flood([UInt8], times: Int)
        /// Ends the connection by RST.
        case reset
        /// Ends the connection by FIN, after TLS said so where there is TLS.
        case close
        /// Leaves the connection open for ever.
        case hang
        /// Ends all connections by RST and takes no new one for a while.
        case refuse(Duration)
    }

    /// The steps in their order.
    package let steps: [Step]

    /// A script of steps.
    package init(_ steps: [Step]) {
        self.steps = steps
    }
}
