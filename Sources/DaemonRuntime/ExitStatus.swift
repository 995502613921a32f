import DaemonConfiguration
package import Logging
import SocketServer

/// The exit statuses of the daemon, besides 0 after a drain.
package enum ExitStatus: Int32, Sendable {
    /// The daemon can't serve.
    case failure = 1
    /// The configuration has a fault: EX_CONFIG of sysexits.h.
    case wrongConfiguration = 78

    /// Logs the reasons for which the daemon can't serve, and returns the status to exit with.
    package static func report(_ error: any Error, to log: Logger) -> ExitStatus {
        for reason in (error as? ConfigurationFaults)?.faults.map(\.description) ?? ["\(error)"] {
            log.critical("the daemon can't serve", metadata: [LogKey.reason: "\(reason)"])
        }
        return isOfConfiguration(error) ? .wrongConfiguration : .failure
    }

    private static func isOfConfiguration(_ error: any Error) -> Bool {
        error is ConfigurationFaults || (error as? ListeningSocketError)?.isWrongConfiguration == true
    }
}
