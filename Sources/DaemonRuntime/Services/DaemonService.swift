package import ServiceLifecycle

/// A service of the daemon, which the log of the service group calls by its type's name.
///
/// Otherwise that log would show, at its debug level, all that the service holds, which includes the environment.
package protocol DaemonService: Service, CustomStringConvertible {}

extension DaemonService {
    /// The name of the service's type.
    package var description: String { "\(Self.self)" }
}
