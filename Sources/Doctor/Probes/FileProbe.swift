import DaemonConfiguration
import SystemPackage
import Systemd

/// Looks at files and directories that the daemon reads and that hold no secret.
struct FileProbe: Sendable {
    /// The user who reads files.
    let reader: SecretFile.Reader
    /// The reader's name.
    let readerName: String

    /// Looks at a file or directory.
    ///
    /// Returns nil if it isn't there or can't be seen.
    func look(at path: String, of tenant: String? = nil, isOptional: Bool = false) -> FileFacts? {
        guard unsafe (try? Stat(path)) != nil else { return nil }
        return FileFacts(tenant: tenant, path: path, user: readerName, state: state(of: path), isOptional: isOptional)
    }

    /// Looks at the directory that tenants are from, at their files, and at their prefetch files.
    ///
    /// Of the tenants' files only those with a fault of their own are in the result, as there may be a thousand.
    func look(atFilesOf tenants: [(name: String, section: DaemonConfiguration.Tenant)]) -> [FileFacts] {
        let paths = Set(tenants.compactMap { $0.section.file.map(Self.directory(of:)) })
        let directories = paths.sorted().compactMap { look(at: $0) }
        let known = Set(directories.map(\.state) + [.usable])
        let files = tenants.compactMap { tenant in tenant.section.file.flatMap { look(at: $0, of: tenant.name) } }
        let prefetches = tenants.compactMap { tenant in
            tenant.section.prefetch.flatMap { look(at: $0.file, of: tenant.name, isOptional: true) }
        }
        return directories + files.filter { !known.contains($0.state) } + prefetches
    }

    private func state(of path: String) -> FileFacts.State {
        if let entry = SecretFile.obstacle(to: path, for: reader) { return .closedToDaemon(entry) }
        return SecretFile.weakness(of: path, for: reader).map { .changeableByOthers($0) } ?? .usable
    }

    private static func directory(of path: String) -> String { FilePath(path).removingLastComponent().string }
}
