import DaemonConfiguration
import DaemonRuntime
import Glibc

/// Reads and checks the configuration.
enum ConfigurationProbe {
    /// The key of the fault that the examination judges as a step of its own.
    private static let auditKey = "audit.to"

    /// The configuration, if it can be read, and what is wrong with it.
    struct Result: Sendable {
        var facts: ConfigurationFacts
        var configuration: DaemonConfiguration?
        /// The fault of the audit trail's destination.
        var auditFault: String?
    }

    static func look(at path: String, wanted: String?) -> Result {
        var facts = ConfigurationFacts(path: path)
        facts.wanted = wanted
        facts.obstacle = obstacle(path)
        guard facts.obstacle == nil else { return Result(facts: facts) }
        do {
            let configuration = try DaemonConfiguration.load(path)
            let check = ConfigurationCheck(path: path, configuration: configuration)
            let faults = check.faults
            facts.faults = faults.filter { $0.key != auditKey }.map(\.description)
            facts.notes = check.notes
            facts.tenants = configuration.tenants.keys.sorted()
            let auditFault = faults.first { $0.key == auditKey }?.description
            return Result(facts: facts, configuration: configuration, auditFault: auditFault)
        } catch {
            facts.faults = error.faults.map(\.description)
            return Result(facts: facts)
        }
    }

    private static func obstacle(_ path: String) -> ConfigurationFacts.Obstacle? {
        guard unsafe access(path, R_OK) != 0 else { return nil }
        switch errno {
        case ENOENT, ENOTDIR: return .missing
        case EACCES, EPERM: return .denied
        default: return nil
        }
    }
}
