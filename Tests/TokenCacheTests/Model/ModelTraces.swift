import TokenProtocol

@testable import TokenCache

/// The traces of the requests that asked for a call in the model.
struct ModelTraces {
    /// The context of the first request that doesn't wait.
    private(set) var unawaited: TraceContext?
    /// The context that the call was sent with.
    var sent: TraceContext?
    private var all: [TraceID] = []

    mutating func add(_ context: TraceContext?, waits: Bool) {
        guard let context else { return }
        if !waits { unawaited = unawaited ?? context }
        if !all.contains(context.traceID) { all.append(context.traceID) }
    }

    /// The traces that the records of the call must have: that of the call, and the others of the first eight.
    var record: TraceRecord? {
        if all.isEmpty { return nil }
        return TraceRecord(sent: sent, others: all.prefix(8).filter { $0 != sent?.traceID })
    }
}
