/// The section `prefetch` of a tenant.
extension ConfigurationReader {
    private static var intervals: ClosedRange<Int> { 60...86_400 }

    mutating func readPrefetch(_ item: Item) -> DaemonConfiguration.Prefetch? {
        var values = PrefetchSettings.Values()
        let before = faults.count
        section(item, PrefetchSettings.all, &values)
        guard let file = values.file else {
            if faults.count == before { note(item.line, "\(item.path).file", "is missing") }
            return nil
        }
        return .init(file: file, every: values.every)
    }

    /// Reads `every`: zero or a duration.
    mutating func prefetchInterval(_ item: Item) -> Duration? {
        ["0", "0s"].contains(item.text) ? .zero : duration(item, Self.intervals, alternative: ", or 0")
    }
}
