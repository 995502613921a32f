import DaemonConfiguration
import FleetProtocol

/// The environment names a proxy for a tenant whose host is an address.
struct AddressBehindProxy: Error, CustomStringConvertible {
    let description =
        "needs a name in host: behind the environment's proxy a certificate can't be checked for an address"
}

/// A file or credential holds no key that can be used.
struct UnusableKey: Error, CustomStringConvertible {
    let source: DaemonConfiguration.SecretSource
    let reason: String

    var description: String {
        switch source {
        case .file(let path): "\(path) \(reason)"
        case .credential(let name): "credential '\(name)' \(reason)"
        }
    }
}

/// Systemd has handed over no credential of this name: it didn't start the daemon, or the unit doesn't load one.
struct MissingCredential: Error, CustomStringConvertible {
    let name: String

    var description: String {
        "credential '\(name)' was not handed over: the unit needs LoadCredential=\(name):PATH, or use { file: PATH }"
    }
}

/// A file or credential holds no keys of a fleet.
struct UnusableFleetKeys: Error, CustomStringConvertible {
    let source: DaemonConfiguration.SecretSource
    let reason: FleetKeysFault

    var description: String {
        switch source {
        case .file(let path): "\(path): \(reason)"
        case .credential(let name): "credential '\(name)': \(reason)"
        }
    }
}
