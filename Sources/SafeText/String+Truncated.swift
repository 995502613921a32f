extension String {
    /// Returns a copy of at most a number of bytes, with an ellipsis if some are left out.
    ///
    /// It shares no storage with a text that was shortened.
    package func truncated(to most: Int) -> String {
        guard utf8.count > most else { return self }
        var (kept, size) = ("", 0)
        for scalar in unicodeScalars {
            size += UTF8.width(scalar)
            guard size <= most else { break }
            kept.unicodeScalars.append(scalar)
        }
        return kept + "…"
    }
}
