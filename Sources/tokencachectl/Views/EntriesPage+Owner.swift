extension EntriesPage.Entry {
    /// The user or client whose token it is, as tables show it.
    var owner: String {
        if let client { return "client:\(client)" }
        return userID.map { "id:\($0)" } ?? subject ?? "?"
    }
}
