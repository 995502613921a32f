/// A client's request, read from one line.
package struct Request: Sendable, Equatable {
    /// The client's name for the request, or nil if replies come in the order of the requests.
    package var id: RequestID?
    /// The operation.
    package var operation: Operation
    /// The trace that the request belongs to, or nil if it names none or the operation makes no call to a tenant.
    package var trace: TraceContext?

    /// Creates a request.
    package init(id: RequestID? = nil, operation: Operation, trace: TraceContext? = nil) {
        self.id = id
        self.operation = operation
        self.trace = trace
    }
}
