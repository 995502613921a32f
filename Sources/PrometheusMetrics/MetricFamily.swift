/// The declaration of a metric: a name with all of its series.
package struct MetricFamily: Sendable, Equatable {
    /// The type of a metric.
    package enum Kind: Sendable, Equatable {
        /// A number that only grows while the program runs.
        case counter
        /// A number that grows and falls.
        case gauge
        /// The numbers of observations up to each bound, in ascending order, and their sum.
        case histogram(bounds: [Double])
    }

    /// The value of each label of the series that takes what a family has no space for.
    package static let other = "other"
    /// The limit of series of a family that declares none.
    package static let defaultMaxSeries = 1_000

    package let name: String
    package let kind: Kind
    /// A sentence about its meaning.
    package let help: String
    /// The names of its labels.
    package let labels: [String]
    /// The limit of its series.
    ///
    /// Past it, all further ones are one series, whose labels are all ``other``.
    package let maxSeries: Int

    /// Declares a metric.
    package init(
        _ kind: Kind,
        _ name: String,
        _ help: String,
        labels: [String] = [],
        maxSeries: Int = defaultMaxSeries
    ) {
        self.name = name
        self.kind = kind
        self.help = help
        self.labels = labels
        self.maxSeries = maxSeries
    }
}
