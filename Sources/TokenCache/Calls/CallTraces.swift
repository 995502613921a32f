import TokenProtocol

/// The traces of the requests that asked for a call, and the context that it is sent with.
struct CallTraces {
    /// The maximum number of traces that are kept for the records.
    ///
    /// Thousands of requests may share a mint, and a record has to stay short.
    static let maxTraces = 8

    /// The context that the call was sent with: a request's trace, and a span of the call's own.
    ///
    /// It is nil if the call has not been sent, or was sent for requests without a trace.
    var sent: TraceContext?
    /// The context of the first request that does not wait for the call.
    private(set) var unawaited: TraceContext?
    /// The first traces whose requests asked for the call, in the order of arrival.
    private var traces: [TraceID] = []

    /// Adds the trace of a request that asks for the call.
    mutating func add(_ context: TraceContext, waits: Bool) {
        if !waits, unawaited == nil { unawaited = context }
        guard traces.count < Self.maxTraces, !traces.contains(context.traceID) else { return }
        traces.append(context.traceID)
    }

    /// The traces as the records of the call have them, or nil if there is none.
    var record: TraceRecord? {
        guard !traces.isEmpty else { return nil }
        return TraceRecord(sent: sent, others: traces.filter { $0 != sent?.traceID })
    }
}
