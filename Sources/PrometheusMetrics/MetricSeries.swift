/// One series of a metric: its labels' values, and its value now.
package struct MetricSeries: Sendable, Equatable {
    /// The values of the family's labels, in the order of their names.
    package let labels: [String]
    package var value: Value

    /// Creates a series.
    package init(_ labels: [String], _ value: Value) {
        self.labels = labels
        self.value = value
    }

    /// Creates the series of a metric without labels.
    package init(_ value: Value) { self.init([], value) }

    /// The value of a series.
    package enum Value: Sendable, Equatable {
        case integer(Int)
        case number(Double)
        case histogram(HistogramValue)
    }
}

/// The value of a histogram.
package struct HistogramValue: Sendable, Equatable {
    /// The number of observations up to each of the family's bounds.
    package var upToBounds: [Int]
    /// The number of all observations.
    package var count: Int
    /// The sum of all observations.
    package var sum: Double

    /// Creates a value.
    package init(upToBounds: [Int], count: Int, sum: Double) {
        self.upToBounds = upToBounds
        self.count = count
        self.sum = sum
    }
}

extension MetricSeries.Value {
    /// The sum of two values, for series that are shown as one.
    static func + (left: Self, right: Self) -> Self {
        switch (left, right) {
        case (.histogram(let left), .histogram(let right)): .histogram(left + right)
        case (.integer(let left), .integer(let right)): .integer(left + right)
        default: .number(left.asNumber + right.asNumber)
        }
    }

    private var asNumber: Double {
        switch self {
        case .integer(let number): Double(number)
        case .number(let number): number
        case .histogram(let histogram): histogram.sum
        }
    }
}

extension HistogramValue {
    fileprivate static func + (left: Self, right: Self) -> Self {
        HistogramValue(
            upToBounds: zip(left.upToBounds, right.upToBounds).map(+),
            count: left.count + right.count,
            sum: left.sum + right.sum
        )
    }
}
