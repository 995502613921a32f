import DaemonConfiguration
import Dispatch
package import Logging
package import TokenProtocol

/// Reads the configuration again and applies it.
package struct Reload: Sendable {
    private static let queue = DispatchQueue(label: "tokencached.reload")

    private let source: ConfigurationSource
    private let components: Components
    private let log: Logger

    /// Prepares reloads from a source into the parts of the daemon.
    package init(from source: ConfigurationSource, into components: Components, log: Logger) {
        self.source = source
        self.components = components
        self.log = log
    }

    /// Reloads the configuration.
    ///
    /// If it has a fault, the old one stays in force.
    ///
    /// - Returns: The reply for the operator.
    package func perform() async -> Reply {
        do {
            let settings = try await components.prepare(load())
            try await components.apply(settings)
            log.notice("the configuration was read again", metadata: [LogKey.path: "\(source.path)"])
            return .reloaded
        } catch let faults as ConfigurationFaults {
            return report(faults)
        } catch {
            log.error("the configuration was not read again", metadata: [LogKey.reason: "\(error)"])
            return .error(ErrorReply(.unavailable, "the daemon is shutting down", retryAfter: 1))
        }
    }

    /// Reads the configuration on a queue of its own.
    ///
    /// Files and a name service may block for seconds, and the few threads that tasks share also make the calls to
    /// tenants.
    private func load() async throws(ConfigurationFaults) -> LoadedConfiguration {
        let result = await withCheckedContinuation { continuation in
            Self.queue.async {
                continuation.resume(
                    returning: Result { () throws(ConfigurationFaults) in try source.load() }
                )
            }
        }
        return try result.get()
    }

    private func report(_ faults: ConfigurationFaults) -> Reply {
        for fault in faults.faults {
            log.error(
                "the configuration has a fault and the old one stays in force",
                metadata: [LogKey.fault: "\(fault)"]
            )
        }
        return .error(ErrorReply(.invalidConfiguration, faults.faults.map(\.description).joined(separator: "; ")))
    }
}
