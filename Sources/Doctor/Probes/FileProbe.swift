import Systemd

/// Looks at files and directories that the daemon reads and that hold no secret.
struct FileProbe: Sendable {
    /// The user who reads files.
    let reader: SecretFile.Reader
    /// The reader's name.
    let readerName: String

    func look(at path: String, of tenant: String? = nil) -> FileFacts {
        FileFacts(tenant: tenant, path: path, user: readerName, state: state(of: path))
    }

    private func state(of path: String) -> FileFacts.State {
        if let entry = SecretFile.obstacle(to: path, for: reader) { return .closedToDaemon(entry) }
        return SecretFile.weakness(of: path, for: reader).map { .changeableByOthers($0) } ?? .usable
    }
}
