import Audit
import Logging
import TokenCache

/// The whole file, and the values that only one key has.
extension ConfigurationReader {
    /// The maximum length of a path that the kernel takes, in bytes (`unix(7)`).
    static var maxSocketPath: Int { 107 }

    /// Reads the whole file, or returns nil if it is no mapping.
    mutating func read(_ root: Node?) -> DaemonConfiguration? {
        let settings = FileSettings.all
        guard let root, var file = Section(root, path: "", line: 1) else {
            note(1, "", "should be a mapping of \(settings.map(\.key).joined(separator: ", "))")
            return nil
        }
        var configuration = DaemonConfiguration()
        let names = readTenants(&file, &configuration)
        configuration.access = readAccess(file.take("access"), names: names, tenants: configuration.tenants)
        read(&file, settings, &configuration)
        noteUnknown(file, known: settings.map(\.key))
        return configuration
    }

    mutating func socketPath(_ item: Item) -> String? {
        guard let path = text(item) else { return nil }
        guard path.hasPrefix("/"), path.utf8.count <= Self.maxSocketPath else {
            note(item, "should be an absolute path of up to \(Self.maxSocketPath) bytes")
            return nil
        }
        return path
    }

    mutating func mode(_ item: Item) -> UInt32? {
        guard let text = item.text, (3...4).contains(text.utf8.count), Self.whole(text) != nil, !text.hasPrefix("-"),
            let mode = UInt32(text, radix: 8), mode <= 0o777
        else {
            note(item, "should be a mode in octal digits and quotes, such as \"0660\"")
            return nil
        }
        return mode
    }

    mutating func logLevel(_ item: Item) -> Logger.Level? {
        guard let level = item.text.flatMap(Logger.Level.init(rawValue:)) else {
            let levels = Logger.Level.allCases.map(\.rawValue)
            note(item, "should be one of \(levels.joined(separator: ", "))")
            return nil
        }
        return level
    }

    mutating func logFormat(_ item: Item) -> DaemonConfiguration.LogFormat? {
        guard let format = item.text.flatMap(DaemonConfiguration.LogFormat.init(rawValue:)) else {
            let formats = DaemonConfiguration.LogFormat.allCases.map(\.rawValue)
            note(item, "should be one of \(formats.joined(separator: ", "))")
            return nil
        }
        return format
    }

    mutating func auditDestination(_ item: Item) -> AuditDestination? {
        switch item.text {
        case "journal": return .journal
        case "stderr": return .standardError
        case "none": return .nowhere
        case .some(let path) where path.hasPrefix("/"): return .file(path)
        default:
            note(item, "should be journal, stderr, none or the absolute path of a file")
            return nil
        }
    }
}
