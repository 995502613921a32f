import TokenProtocol

extension ConnectionStateMachine.Step {
    /// The approximate cost of a step, in requests.
    var work: Int {
        switch self {
        case .outputIsLarge: 0
        case .rejected, .answered, .emptyLines: 1
        case .request(let request, _):
            if case .prefetch(let prefetch) = request.operation { max(1, prefetch.users.count) } else { 1 }
        }
    }
}
