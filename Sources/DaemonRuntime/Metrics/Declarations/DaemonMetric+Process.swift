import PrometheusMetrics

extension DaemonMetric {
    /// The figures that Prometheus's client libraries have for each process, under the same names.
    static let process: [DaemonMetric] = [
        gauge("process_start_time_seconds", "Time at which the process started, in seconds since 1970.") {
            $0.process.startTime.map { .number($0) }
        },
        series(.counter, "process_cpu_seconds_total", "Processor time of the process.", labels: []) { snapshot in
            snapshot.process.cpuSeconds.map { [MetricSeries(.number($0))] } ?? []
        },
        gauge("process_resident_memory_bytes", "Memory of the process that is in RAM.") {
            $0.process.residentBytes.map { .integer($0) }
        },
        gauge("process_virtual_memory_bytes", "Virtual memory of the process.") {
            $0.process.virtualBytes.map { .integer($0) }
        },
        gauge("process_open_fds", "Open file descriptors.") { $0.process.openFiles.map { .integer($0) } },
        gauge("process_max_fds", "Limit of open file descriptors.") { $0.process.maxFiles.map { .integer($0) } },
    ]
}
