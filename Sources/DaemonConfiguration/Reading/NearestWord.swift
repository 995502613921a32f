extension [String] {
    /// The most letters in which a misspelt word differs.
    private static var maxDistance: Int { 2 }

    /// Returns the element that a misspelt word probably means, or nil if none is similar.
    ///
    /// At most two letters differ, and fewer than the element has.
    func nearest(to word: String) -> String? {
        let similar = filter { abs($0.utf8.count - word.utf8.count) <= Self.maxDistance }
        let closest = similar.map { ($0, $0.distance(to: word)) }.min { $0.1 < $1.1 }
        guard let (candidate, distance) = closest, distance <= Self.maxDistance, distance < candidate.count else {
            return nil
        }
        return candidate
    }

    /// Returns the question for a fault of a misspelt word, or no text if no element is similar.
    func suggestion(for word: String?) -> String {
        word.flatMap(nearest).map { " (did you mean '\($0.forMessage)'?)" } ?? ""
    }
}

extension String {
    /// Returns the number of letters to change, add or remove to get from one word to another (Levenshtein's distance).
    fileprivate func distance(to other: String) -> Int {
        let (own, others) = (Array(utf8.prefix(64)), Array(other.utf8.prefix(64)))
        var row = Array(0...others.count)
        for (index, letter) in own.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for (column, otherLetter) in others.enumerated() {
                let change = diagonal + (letter == otherLetter ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = Swift.min(change, row[column] + 1, row[column + 1] + 1)
            }
        }
        return row[others.count]
    }
}
