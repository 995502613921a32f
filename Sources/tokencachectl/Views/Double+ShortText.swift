import OperatorReplies

extension Double {
    /// The text of a duration in seconds, to the second.
    var roughText: String { self < 120 ? "\(Int(nearest: Swift.max(0, self))) s" : durationText }

    /// The number with one digit after the point if it is small, and none otherwise.
    var shortText: String {
        let tenths = (self * 10).rounded() / 10
        return tenths >= 100 || tenths == tenths.rounded() ? "\(Int(nearest: rounded()))" : "\(tenths)"
    }

    /// The share in percent.
    ///
    /// Only all is 100 %, and only none is 0 %.
    var percentText: String {
        let tenths = Swift.min(self < 1 ? 999 : 1_000, Swift.max(self > 0 ? 1 : 0, (self * 1_000).rounded()))
        return "\((tenths / 10).shortText) %"
    }
}
