import SafeText

/// The state of a file or directory of the configuration, which holds no secret.
package struct FileFacts: Sendable, Equatable {
    /// The result of a look at the file.
    package enum State: Sendable, Hashable {
        /// The daemon's user can read it, and nobody else but root can change it.
        case usable
        /// Others can change it, or this directory above it.
        case changeableByOthers(String)
        /// The daemon can't read it because of the mode of this file or directory.
        case closedToDaemon(String)
    }

    /// The tenant whose file it is, or nil if it belongs to the installation as a whole.
    package var tenant: String?
    package var path: String
    /// The name of the user who reads the file.
    package var user: String
    package var state: State
    /// True if the daemon starts without it.
    package var isOptional: Bool

    /// Creates facts.
    package init(tenant: String? = nil, path: String, user: String, state: State, isOptional: Bool = false) {
        self.tenant = tenant
        self.path = path
        self.user = user
        self.state = state
        self.isOptional = isOptional
    }
}

extension FileFacts {
    /// The judgement.
    package var finding: Finding {
        switch state {
        case .usable: .ok(.file, tenant, "\(user) can read \(path), and no other user can change it")
        case .changeableByOthers(let entry):
            .warning(
                .file,
                tenant,
                entry == path ? "other users can change \(path)" : "other users can replace \(path) in \(entry)",
                "chown root: \(entry.quotedForShell); chmod go-w \(entry.quotedForShell)"
            )
        case .closedToDaemon(let entry):
            Finding(
                .file,
                tenant,
                isOptional ? .warning : .failed,
                entry == path ? "\(user) can't read \(path)" : "\(user) can't reach \(path): \(entry) is closed",
                "chmod \(entry == path ? "o+rX" : "o+x") \(entry.quotedForShell)"
            )
        }
    }
}
