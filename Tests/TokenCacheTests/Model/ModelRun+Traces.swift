import TestSupport
import TokenProtocol

@testable import TokenCache

/// The traces of requests, and the checks of those that calls are sent with.
extension ModelRun {
    /// Returns the context of a new trace, or nil, for a request without one.
    func newTrace() -> TraceContext? {
        guard random.once(in: 2), let traceID = TraceID(high: 0, low: random.next()) else { return nil }
        return TraceContext(traceID: traceID, spanID: SpanID(random: random.next()), isSampled: random.once(in: 2))
    }

    /// Checks the trace context that a call is sent with.
    func check(_ trace: TraceContext?, of call: ModelCall) throws {
        if let first = call.traces.sent {
            guard trace == first else { throw violated("a call is sent again in another trace, or as another span") }
            return tally.note(.sentAgainInTrace)
        }
        let waiting = call.waiters.compactMap { $0.options?.trace }
        let given = waiting.isEmpty ? [call.traces.unawaited].compactMap(\.self) : waiting
        guard let trace else {
            guard given.isEmpty else { throw violated("a call is sent without the trace of its request") }
            return
        }
        guard given.contains(where: { trace == $0.continued(by: trace.spanID) }) else {
            throw violated("a call is sent in a trace of no request that waits for it or asked for it ahead of time")
        }
        guard !given.contains(trace) else { throw violated("a call is sent as a span that is not its own") }
        call.traces.sent = trace
        tally.note(waiting.isEmpty ? .sentInUnawaitedTrace : .sentInTrace)
    }
}
