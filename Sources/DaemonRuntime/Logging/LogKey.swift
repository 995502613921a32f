/// The keys of the values in log lines.
///
/// Every value has one of them.
enum LogKey {
    static let reason = "reason"
    static let path = "path"
    static let address = "address"
    static let tenant = "tenant"
    static let tenants = "tenants"
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
}
