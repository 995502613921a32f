/// The place of a request in a distributed trace: a `traceparent` of W3C Trace Context, level 1.
///
/// It names the trace and the span that makes the request. A reader of a later version's form takes the fields that
/// this version knows, and writes the form of this version.
package struct TraceContext: Sendable, Hashable {
    /// The length of a `traceparent` of this version, in bytes: four fields and three hyphens.
    private static let length = 55
    /// The version that is invalid.
    private static let invalidVersion: UInt64 = 0xff
    /// The only flag of this version.
    ///
    /// It says that the caller may have recorded the trace.
    private static let sampledFlag: UInt64 = 0x01

    /// The trace.
    package let traceID: TraceID
    /// The span that makes the request.
    package let spanID: SpanID
    /// True if the caller may have recorded the trace.
    package let isSampled: Bool

    /// Creates the context of a span.
    package init(traceID: TraceID, spanID: SpanID, isSampled: Bool) {
        self.traceID = traceID
        self.spanID = spanID
        self.isSampled = isSampled
    }

    /// Reads a `traceparent`, or returns nil if it is not valid.
    package init?(_ text: borrowing Span<UInt8>) {
        guard text.count >= Self.length, let version = UInt64(lowerHexadecimal: text, 0..<2),
            version != Self.invalidVersion, Self.hasHyphens(text),
            text.count == Self.length || version > 0 && text[Self.length] == UInt8(ascii: "-"),
            let high = UInt64(lowerHexadecimal: text, 3..<19), let low = UInt64(lowerHexadecimal: text, 19..<35),
            let traceID = TraceID(high: high, low: low),
            let span = UInt64(lowerHexadecimal: text, 36..<52), let spanID = SpanID(span),
            let flags = UInt64(lowerHexadecimal: text, 53..<55)
        else { return nil }
        self.init(traceID: traceID, spanID: spanID, isSampled: flags & Self.sampledFlag != 0)
    }

    private static func hasHyphens(_ text: borrowing Span<UInt8>) -> Bool {
        text[2] == UInt8(ascii: "-") && text[35] == UInt8(ascii: "-") && text[52] == UInt8(ascii: "-")
    }

    /// Returns the context of another span of the same trace.
    package func continued(by span: SpanID) -> TraceContext {
        TraceContext(traceID: traceID, spanID: span, isSampled: isSampled)
    }
}

extension TraceContext: CustomStringConvertible {
    /// The `traceparent` in the form of this version, without flags that it doesn't define.
    package var description: String { "00-\(traceID)-\(spanID)-\(isSampled ? "01" : "00")" }
}
