extension ConnectionStateMachine {
    /// The next thing that the owner has to do.
    package enum Step: Sendable, Equatable {
        /// A request, which must be passed to ``answer(_:_:_:)`` or ``wait(_:_:_:)`` before the next step.
        case request(Request, ticket: UInt64)
        /// A line that is not a request, or a request during a drain, whose operation is then known.
        ///
        /// Its reply is in the output already.
        case rejected(ErrorReply.Code, OperationName? = nil)
        /// A request for a token that was found, but not in its plain form.
        case answered
        /// Some empty lines.
        case emptyLines
        /// The output is so large that it should be sent before more is added.
        case outputIsLarge
    }

    /// The progress of the machine in the bytes that were read together.
    package struct Cursor: Sendable, Equatable {
        /// The first byte that was not processed yet.
        package var position = 0
        /// Creates a cursor at the first byte.
        package init() {}
    }
}
