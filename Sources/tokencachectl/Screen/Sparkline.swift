/// A small graph of one line: a bar for each number, the latest on the right.
struct Sparkline {
    private static let bars: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

    /// The numbers, nil where nothing is known.
    let values: [Double?]

    /// Returns the bars of the latest numbers, scaled to the largest of them.
    ///
    /// A number above zero has a bar that is higher than that of zero. Nothing is drawn where no number is known.
    func text(columns: Int) -> String {
        let shown = values.suffix(max(0, columns))
        let largest = shown.compactMap(\.self).max() ?? 0
        let bars = shown.map { $0.map { Self.bar($0, largest) } ?? " " }
        return String(repeating: " ", count: max(0, columns - bars.count)) + String(bars)
    }

    private static func bar(_ value: Double, _ largest: Double) -> Character {
        guard value > 0, largest > 0 else { return bars[0] }
        let step = (value / largest * Double(bars.count - 1)).rounded(.up)
        return bars[min(bars.count - 1, max(1, Int(step)))]
    }
}
