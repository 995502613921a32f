/// The life of a connection that serves one request.
struct ConnectionPhase: Equatable {
    private enum State: Equatable {
        /// The request is not complete.
        case reading(hasHead: Bool)
        /// The response is not written, or not completely.
        case answering
        /// The response is written, and the client has to close.
        case lingering
        case closed
    }

    private var state = State.reading(hasHead: false)
    private var isInputOpen = true

    /// The consequence of something that was received, or that went wrong.
    enum Action: Equatable {
        /// The part goes on to the server.
        case pass
        /// The part is dropped.
        case drop
        /// The server gets no request, and the client this answer.
        case refuse(Problem)
        /// The connection is closed at once.
        case close
        /// The output is closed, and the connection after a moment, or when the client closes.
        ///
        /// Closing at once would reset the connection if the client has sent more than was read, and it could lose the
        /// response.
        case linger
    }

    /// Receives a request's head.
    mutating func receiveHead(hasBody: Bool) -> Action {
        guard state == .reading(hasHead: false) else { return .drop }
        if hasBody { return refuse(.body) }
        state = .reading(hasHead: true)
        return .pass
    }

    /// Receives a part of a request's body.
    mutating func receiveBody() -> Action { state == .reading(hasHead: true) ? refuse(.body) : .drop }

    /// Receives the end of a request.
    mutating func receiveEnd() -> Action {
        guard state == .reading(hasHead: true) else { return .drop }
        state = .answering
        return .pass
    }

    /// Takes note that the request can't be read.
    mutating func fail(_ problem: Problem) -> Action {
        guard case .reading = state else { return .drop }
        return refuse(problem)
    }

    /// Takes note that the client sends no more.
    mutating func inputEnded() -> Action {
        isInputOpen = false
        switch state {
        case .answering: return .drop
        case .reading, .lingering, .closed: return close()
        }
    }

    /// Takes note that the response is written.
    mutating func responseEnded() -> Action {
        guard state != .closed else { return .drop }
        guard isInputOpen else { return close() }
        state = .lingering
        return .linger
    }

    /// Takes note that the connection's time is over.
    mutating func expired() -> Action {
        guard case .reading = state else { return close() }
        return refuse(.tooSlow)
    }

    /// Takes note that the server stops.
    ///
    /// - Returns: An action for now. A response that is being written gets another moment.
    mutating func serverStops() -> Action {
        guard state == .answering else { return close() }
        return .pass
    }

    private mutating func refuse(_ problem: Problem) -> Action {
        state = .answering
        return .refuse(problem)
    }

    private mutating func close() -> Action {
        state = .closed
        return .close
    }
}
