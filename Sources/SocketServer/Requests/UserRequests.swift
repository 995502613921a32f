/// The number of one uid's requests since the start.
///
/// Each connection has a reference to that of its uid, so that nothing is looked up for a request.
final class UserRequests {
    var count = 0
}

@available(*, unavailable)
extension UserRequests: Sendable {}
