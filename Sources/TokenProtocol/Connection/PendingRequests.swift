import DequeModule

/// A request that waits for its reply.
package struct PendingRequest: Sendable, Equatable {
    /// The ticket.
    package let ticket: UInt64
    /// The operation.
    package let operation: OperationName
}

/// The requests of one connection that wait for their replies, and the order of these.
///
/// Replies to requests with an id are written as soon as they are known, those without an id in the order of the
/// requests.
struct PendingRequests {
    /// A request without an id.
    ///
    /// Later replies are kept until its own reply is there.
    private struct Ordered {
        let ticket: UInt64
        /// The operation of a request that waits.
        var operation: OperationName?
        var reply: Reply?

        /// The request, if it waits.
        var request: PendingRequest? {
            guard reply == nil, let operation else { return nil }
            return PendingRequest(ticket: ticket, operation: operation)
        }
    }

    private var inOrder: Deque<Ordered> = []
    private var byID: [UInt64: (id: RequestID, operation: OperationName)] = [:]

    /// The number of requests that wait for a reply, or whose reply waits for earlier ones.
    var count: Int { inOrder.count + byID.count }

    /// True if a reply to a request without an id has to wait for earlier ones.
    var keepsOrder: Bool { !inOrder.isEmpty }

    /// All requests that wait.
    var all: [PendingRequest] {
        byID.map { PendingRequest(ticket: $0, operation: $1.operation) } + inOrder.compactMap(\.request)
    }

    /// Adds a request that waits.
    mutating func add(_ ticket: UInt64, _ id: RequestID?, _ operation: OperationName) {
        if let id {
            byID[ticket] = (id, operation)
        } else {
            inOrder.append(Ordered(ticket: ticket, operation: operation))
        }
    }

    /// Answers a request that doesn't wait, but whose reply may have to.
    mutating func answer(_ ticket: UInt64, _ id: RequestID?, _ reply: Reply, into output: inout OutputBuffer) {
        guard id == nil, keepsOrder else { return ReplyEncoder.encode(reply, id: id, into: &output) }
        inOrder.append(Ordered(ticket: ticket, reply: reply))
    }

    /// Answers a request that waits.
    ///
    /// - Returns: The request's operation, or nil if there is no such request.
    mutating func deliver(_ reply: Reply, to ticket: UInt64, into output: inout OutputBuffer) -> OperationName? {
        if let (id, operation) = byID.removeValue(forKey: ticket) {
            ReplyEncoder.encode(reply, id: id, into: &output)
            return operation
        }
        guard let index = inOrder.firstIndex(where: { $0.ticket == ticket && $0.reply == nil }) else { return nil }
        let operation = inOrder[index].operation
        inOrder[index].reply = reply
        while let reply = inOrder.first?.reply {
            inOrder.removeFirst()
            ReplyEncoder.encode(reply, id: nil, into: &output)
        }
        return operation
    }
}
