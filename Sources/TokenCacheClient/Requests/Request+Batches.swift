extension TokenCacheClient.Request {
    /// The number of users that the daemon accepts in one prefetch.
    private static let maxUsers = 1_000

    /// The requests that a prefetch needs: they keep the order of its users, and each has as many as fit into a line.
    ///
    /// A user whose name alone exceeds a line is left in a request that can't be sent.
    func batches() throws(TokenCacheError) -> [Self] {
        let lists = [\Self.subjects, \.userIDs, \.clients].filter { self[keyPath: $0] != nil }
        // The daemon rejects a request that has several or none.
        guard lists.count == 1, let list = lists.first else { return [self] }
        var template = self
        template[keyPath: list] = []
        // Each user is counted with a comma. The last has none.
        let capacity = RequestLine.longest - (try RequestLine.encode(template).count) + 1
        var batches: [[String]] = []
        var batch: [String] = []
        var length = 0
        for user in self[keyPath: list] ?? [] {
            let added = try RequestLine.encode(user).count + 1
            if !batch.isEmpty, batch.count == Self.maxUsers || length + added > capacity {
                batches.append(batch)
                (batch, length) = ([], 0)
            }
            batch.append(user)
            length += added
        }
        return (batches + [batch]).map {
            template[keyPath: list] = $0
            return template
        }
    }
}
