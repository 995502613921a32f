import DaemonConfiguration
import Dispatch
package import Logging
import Synchronization
package import TokenProtocol

/// Reads the configuration again and applies it.
package struct Reload: Sendable {
    private static let queue = DispatchQueue(label: "tokencached.reload")

    private let source: ConfigurationSource
    private let components: Components
    private let log: Logger
    private let incident: OwnIncident
    /// The faults of the last reload, which are not logged again.
    private let last = LastFaults()

    /// The most faults of one configuration that are logged.
    private static let maxFaults = 20
    /// The most faults of one configuration that are in the reply.
    private static let maxReplied = 100

    private final class LastFaults: Sendable {
        let faults = Mutex<[ConfigurationFaults.Fault]>([])
    }

    /// Prepares reloads from a source into the parts of the daemon.
    ///
    /// - Parameter incident: The incident of a configuration with a fault.
    package init(
        from source: ConfigurationSource,
        into components: Components,
        log: Logger,
        incident: OwnIncident? = nil
    ) {
        self.source = source
        self.components = components
        self.log = log
        self.incident = incident ?? OwnIncident(.wrongConfiguration, log: log)
    }

    /// Reloads the configuration.
    ///
    /// If it has a fault, the old one stays in force.
    ///
    /// - Returns: The reply for the operator.
    package func perform() async -> Reply {
        do throws(ConfigurationFaults) {
            await components.apply(try await components.prepare(load()))
            last.faults.withLock { $0 = [] }
            incident.forget()
            log.notice(
                "the configuration was read again",
                metadata: [LogKey.event: "\(LogEventName.reloaded.rawValue)", LogKey.path: "\(source.path)"]
            )
            return .reloaded
        } catch {
            return report(error)
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
        let isNew = last.faults.withLock { exchange(&$0, with: faults.faults) } != faults.faults
        for fault in faults.faults.prefix(Self.maxFaults) where isNew {
            log.error(
                "the configuration has a fault and the old one stays in force",
                metadata: [LogKey.event: "\(LogEventName.reloadFailed.rawValue)", LogKey.fault: "\(fault)"]
            )
        }
        incident.note(until: nil, failures: isNew ? 0 : 1, [LogKey.path: "\(source.path)"], now: .now)
        return .error(ErrorReply(.invalidConfiguration, Self.sentence(faults)))
    }

    /// All faults, or the first ones if a thousand tenants have some.
    private static func sentence(_ faults: ConfigurationFaults) -> String {
        let all = faults.faults.map(\.description)
        let more = all.count > maxReplied ? ["and \(all.count - maxReplied) more: see tokencached --check-config"] : []
        return (all.prefix(maxReplied) + more).joined(separator: "; ")
    }
}
