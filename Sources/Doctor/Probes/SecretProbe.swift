import DaemonConfiguration
import Glibc
import Secrets
import SocketServer
import SystemPackage
import Systemd
import Tenant

/// Looks at the secrets that a tenant's section names.
struct SecretProbe: Sendable {
    /// The user who reads files, by default that of the daemon.
    let reader: SecretFile.Reader
    /// The reader's name.
    let readerName: String
    /// The unit's settings, if systemd runs the daemon.
    let unit: UnitText?
    /// The directory of systemd's credentials in the daemon's environment.
    let credentialsDirectory: String?

    /// The content of a secret's file.
    private enum Content {
        case text
        /// A private key for an algorithm, or for the first one of the key's kind.
        case key(ClientKey.Algorithm?)

        init(_ credential: DaemonConfiguration.Credential) {
            switch credential {
            case .secret: self = .text
            case .key(_, _, let algorithm):
                self = .key(algorithm.flatMap { ClientKey.Algorithm(rawValue: $0.rawValue) })
            }
        }
    }

    /// The number of a user that no account has, for a unit's user that doesn't exist before the unit starts.
    private static let unknownUser = UInt32.max - 1

    /// Creates a probe for the user of the daemon's process, or else of its unit, or else of this process.
    init(_ process: SecretFile.Reader?, _ unit: UnitText?, credentialsDirectory: String?) {
        self.unit = unit
        self.credentialsDirectory = credentialsDirectory
        if process == nil, let user = unit?.user {
            let number = Accounts.user(user).number ?? Self.unknownUser
            let groups = ([user] + (unit?.groups ?? [])).compactMap { Accounts.group($0).number }
            reader = SecretFile.Reader(user: number, groups: groups)
            readerName = user
        } else {
            reader = process ?? .current
            readerName = SocketProbe.name(ofUser: reader.user)
        }
    }

    func look(at tenant: DaemonConfiguration.Tenant, _ name: String) -> [SecretFacts] {
        var facts = [look(at: tenant.credential, name, section: "")]
        for (client, section) in tenant.clients.sorted(by: { $0.key < $1.key }) {
            facts.append(look(at: section.credential, name, section: "clients.\(client)."))
        }
        if case .server(_, _, let user?) = tenant.proxy {
            facts.append(look(at: user.password, name, "proxy.password", .text))
        }
        return facts
    }

    /// - Parameter section: The keys that enclose the credential's own key in the tenant's section, with dots behind.
    private func look(
        at credential: DaemonConfiguration.Credential,
        _ tenant: String,
        section: String
    ) -> SecretFacts {
        let content = Content(credential)
        return switch credential {
        case .secret(let source): look(at: source, tenant, section + "client_secret", content)
        case .key(let source, _, _): look(at: source, tenant, section + "client_key", content)
        }
    }

    private func look(
        at source: DaemonConfiguration.SecretSource,
        _ tenant: String,
        _ key: String,
        _ content: Content
    ) -> SecretFacts {
        var facts = SecretFacts(tenant: tenant, key: key, path: nil, user: "root", state: .sourceUnknown)
        switch source {
        case .file(let path):
            facts.path = path
            facts.user = readerName
            facts.state = state(of: path, for: reader, content)
        case .credential(let name):
            facts.credential = name
            guard let path = path(ofCredential: name) else {
                if unit != nil, unit?.credentials[name] == nil { facts.state = .notLoaded(unit: UnitProbe.service) }
                return facts
            }
            facts.path = path
            facts.state = state(ofCredential: path, content)
        }
        return facts
    }

    /// The file that a password or secret is read from, or nil if it isn't known.
    func path(of source: DaemonConfiguration.SecretSource) -> String? {
        switch source {
        case .file(let path): path
        case .credential(let name): path(ofCredential: name)
        }
    }

    private func path(ofCredential name: String) -> String? {
        if let path = unit?.credentials[name] ?? nil, path.hasPrefix("/") { return path }
        guard unit == nil else { return nil }
        return SecretFile.path(ofCredential: name, in: credentialsDirectory)
    }

    /// The state of a credential's source, or of the file that was handed over if the source isn't known.
    ///
    /// systemd reads the source as root, before the daemon starts. It decides itself about the files that it hands over.
    private func state(ofCredential path: String, _ content: Content) -> SecretFacts.State {
        let root = SecretFile.Reader(user: 0, groups: [0])
        return state(of: path, for: root, content, trusting: unit == nil ? .credential : .file(of: root))
    }

    private func state(
        of path: String,
        for reader: SecretFile.Reader,
        _ content: Content,
        trusting trust: SecretFile.Trust? = nil
    ) -> SecretFacts.State {
        do {
            let trust = trust ?? .file(of: reader)
            switch content {
            case .text: _ = try SecretFile.read(path, trusting: trust)
            case .key(let algorithm):
                let key = try SecretFile.read(path, trusting: trust, isKey: true)
                _ = try ClientKey(key, id: nil, algorithm: algorithm)
            }
        } catch let error as SecretFileError {
            if case .unreadable(.permissionDenied) = error.problem { return denied(path, reader) }
            return .faulty(error)
        } catch {
            return .unusableKey("\(error)")
        }
        return SecretFile.obstacle(to: path, for: reader).map { .closedToDaemon($0) } ?? .usable
    }

    /// The state of a file that this process may not read.
    private func denied(_ path: String, _ reader: SecretFile.Reader) -> SecretFacts.State {
        guard geteuid() != 0, geteuid() != reader.user else { return .closedToDaemon(path) }
        return .hidden
    }
}
