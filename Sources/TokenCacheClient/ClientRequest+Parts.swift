extension ClientRequest {
    /// The number of users that the daemon takes in one prefetch.
    private static let mostUsers = 1_000

    /// A prefetch as one request, or as many as its users need: in their order, and each as long as it can be.
    ///
    /// A user who fits into no line stays in a request that can't be sent.
    func parts() throws(TokenCacheError) -> [ClientRequest] {
        let list: WritableKeyPath<ClientRequest, [String]?>
        switch (subjects, userIDs) {
        case (.some, nil): list = \.subjects
        case (nil, .some): list = \.userIDs
        // The daemon says what is wrong with that.
        default: return [self]
        }
        var rest = self
        rest[keyPath: list] = []
        // A comma less than there are users.
        let room = RequestLine.longest - (try RequestLine.encode(rest).count) + 1
        var parts: [[String]] = []
        var part: [String] = []
        var length = 0
        for user in self[keyPath: list] ?? [] {
            let more = try RequestLine.encode(user).count + 1
            if !part.isEmpty, part.count == Self.mostUsers || length + more > room {
                parts.append(part)
                (part, length) = ([], 0)
            }
            part.append(user)
            length += more
        }
        return (parts + [part]).map {
            rest[keyPath: list] = $0
            return rest
        }
    }
}
