import ArgumentParser

/// A level of the daemon's log, from the one with the most records to the one with the fewest.
enum LogLevel: String, CaseIterable, ExpressibleByArgument {
    case trace
    case debug
    case info
    case notice
    case warning
    case error
    case critical
}
