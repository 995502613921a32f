package import TokenProtocol

/// The traces of the requests that asked for a call to a tenant, for the records of its end.
package struct TraceRecord: Sendable, Equatable {
    /// The context that the call was sent with, or nil if it was sent with none.
    package var sent: TraceContext?
    /// The other traces, of requests that shared the call or stopped waiting before it was sent.
    ///
    /// Only the first few are kept.
    package var others: [TraceID]

    /// The other traces as one text, separated by spaces, or nil if there are none.
    package var othersText: String? { others.isEmpty ? nil : others.map(\.description).joined(separator: " ") }

    /// Creates a record of traces.
    package init(sent: TraceContext?, others: [TraceID] = []) {
        self.sent = sent
        self.others = others
    }
}
