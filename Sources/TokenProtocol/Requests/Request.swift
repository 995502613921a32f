/// A client's request, read from one line.
package struct Request: Sendable, Equatable {
    /// The client's name for the request, or nil if replies come in the order of the requests.
    package var id: RequestID?
    /// The operation.
    package var operation: Operation

    /// Creates a request.
    package init(id: RequestID? = nil, operation: Operation) {
        self.id = id
        self.operation = operation
    }
}
