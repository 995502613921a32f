/// The keys of the values in log lines.
///
/// Every value has one of them.
enum LogKey {
    static let reason = "reason"
    static let path = "path"
    static let address = "address"
    static let tenant = "tenant"
    static let tenants = "tenants"
    static let client = "client"
    static let sockets = "sockets"
    static let files = "files"
    static let connections = "connections"
    static let version = "version"
    static let status = "status"
    static let fault = "fault"
    static let code = "code"
    static let seconds = "seconds"
    static let size = "size"
    static let limit = "limit"
    static let entries = "entries"
    static let missing = "missing"
    static let names = "names"
    static let milliseconds = "milliseconds"
    static let cause = "cause"
    static let outcome = "outcome"
    static let traceID = "trace_id"
    static let spanID = "span_id"
    static let otherTraceIDs = "other_trace_ids"
    static let event = "event"
    static let failed = "failed"
    static let count = "count"
    static let minted = "minted"
    static let cached = "cached"
    static let denied = "denied"
    static let machines = "machines"
    static let newLevel = "new_level"

    /// The keys of values that are counts or times.
    static let numbers: Set = [
        seconds, size, limit, entries, missing, milliseconds, files, connections, status, failed, count,
        minted, cached, denied, machines,
    ]
}
