import OperatorReplies

extension Double {
    /// The text of a duration in seconds, in the unit that reads best.
    var durationText: String {
        switch self {
        case 0: "0 s"
        case ..<0.001: "\(Int(nearest: (self * 1_000_000).rounded())) µs"
        case ..<1: "\((self * 10_000).rounded() / 10) ms"
        case ..<120: "\((self * 10).rounded() / 10) s"
        case ..<7_200: "\(Int(nearest: self / 60)) min"
        default: "\(Int(nearest: self / 3_600)) h \(Int(nearest: self / 60) % 60) min"
        }
    }
}
