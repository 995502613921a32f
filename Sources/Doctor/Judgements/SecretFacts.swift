import SafeText
import SystemPackage
package import Systemd

/// The state of one secret that the configuration names.
package struct SecretFacts: Sendable, Equatable {
    /// The result of a look at the secret.
    package enum State: Sendable, Equatable {
        /// It is private and has a content.
        case usable
        /// The file has a fault.
        case faulty(SecretFileError)
        /// It holds no key that can be used, for the reason.
        case unusableKey(String)
        /// The daemon can't read it because of the mode of this file or directory.
        case closedToDaemon(String)
        /// This process may not look, because it is neither root nor the daemon's user.
        case hidden
        /// It is a credential, and the unit loads none of this name.
        case notLoaded(unit: String)
        /// It is a credential, and its source isn't known.
        case sourceUnknown
    }

    package var tenant: String
    /// The key in the tenant's section of the configuration, such as `clients.users.client_secret`.
    package var key: String
    /// The file, or nil for a credential whose source isn't known.
    package var path: String?
    /// The name of the credential, or nil for a file.
    package var credential: String?
    /// The name of the user who reads the file.
    package var user: String
    package var state: State

    /// Creates facts.
    package init(
        tenant: String,
        key: String,
        path: String?,
        credential: String? = nil,
        user: String,
        state: State
    ) {
        self.tenant = tenant
        self.key = key
        self.path = path
        self.credential = credential
        self.user = user
        self.state = state
    }
}

extension SecretFacts {
    /// The judgement.
    package var finding: Finding {
        switch state {
        case .usable: .ok(.secret, tenant, "\(name) is private, and \(user) can read it")
        case .faulty(let error): .failed(.secret, tenant, "\(key): \(error)", Self.advice(on: error, user: user))
        case .unusableKey(let reason):
            .failed(
                .secret,
                tenant,
                "\(name) \(reason)",
                "write the client's private key in PEM form there, one that fits key_algorithm if that is set; its public "
                    + "half belongs to the OAuth client in the tenant"
            )
        case .closedToDaemon(let entry): .failed(.secret, tenant, closed(entry), opening(entry))
        case .hidden:
            .skipped(.secret, tenant, "only \(onlookers) can look at \(name)", "run the doctor as root")
        case .notLoaded(let unit):
            .failed(
                .secret,
                tenant,
                "\(unit) loads no credential '\(credential ?? "")'",
                "add LoadCredential=\(credential ?? ""):PATH to a drop-in (systemctl edit \(unit)), and restart it"
            )
        case .sourceUnknown:
            .skipped(.secret, tenant, "the source of the credential '\(credential ?? "")' isn't known here")
        }
    }

    private var name: String {
        let file = path ?? "the credential"
        return credential.map { "\(key): \(file) (credential \($0))" } ?? "\(key): \(file)"
    }

    private var onlookers: String { user == "root" ? user : "root and \(user)" }

    private func closed(_ entry: String) -> String {
        entry == path
            ? "\(key): \(user) can't read \(entry)" : "\(key): \(user) can't reach \(path ?? ""): \(entry) is closed"
    }

    private func opening(_ entry: String) -> String {
        let word = entry.quotedForShell
        return entry == path ? "chown \(user): \(word); chmod 600 \(word)" : "chmod o+x \(word)"
    }

    private static func advice(on error: SecretFileError, user: String) -> String {
        let path = error.path.quotedForShell
        switch error.problem {
        case .unreadable(.noSuchFileOrDirectory), .empty:
            return "write the client's secret: install -m 600 -o \(user) /dev/stdin \(path)"
        case .unreadable, .noMemory: return "see that the file system and the memory of this machine are well"
        case .notAFile: return "replace \(path) by a regular file of mode 600"
        case .readableByOthers:
            return "chown \(user): \(path); chmod 600 \(path); and change a secret that others have seen"
        case .listedForUser, .listedForGroup: return "setfacl -b \(path); and change a secret that others have seen"
        case .replaceableByOthers(let directory):
            let word = directory.quotedForShell
            return "chown root: \(word); chmod go-w \(word)"
        case .tooLarge, .notText:
            return "see that \(path) is the client's secret, alone on one line, and no other file"
        }
    }
}
