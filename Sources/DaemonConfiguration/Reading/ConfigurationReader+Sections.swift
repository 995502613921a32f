import Audit
import Logging
import TokenCache
import Yams

/// The sections of the file, except `tenants` and `access`.
extension ConfigurationReader {
    private static var sections: [String] {
        [
            "sockets", "cache", "refresh", "default_tenant", "tenants", "access", "quotas", "admin", "audit", "metrics",
            "log",
        ]
    }

    private static var day: Int { 86_400 }
    /// The maximum length of a path that the kernel takes, in bytes (`unix(7)`).
    private static var maxSocketPath: Int { 107 }

    /// Reads the whole file, or returns nil if it is no mapping.
    mutating func read(_ root: Node?) -> DaemonConfiguration? {
        guard let root, var file = Section(root, path: "", line: 1) else {
            note(1, "", "should be a mapping of \(Self.sections.joined(separator: ", "))")
            return nil
        }
        var configuration = DaemonConfiguration()
        readSockets(file.take("sockets"), &configuration.sockets)
        readCache(file.take("cache"), &configuration)
        readRefresh(file.take("refresh"), &configuration.cachePolicy)
        readTenants(&file, &configuration)
        configuration.access = readAccess(file.take("access"), tenants: Array(configuration.tenants.keys))
        readQuotas(file.take("quotas"), &configuration)
        section(file.take("admin"), known: ["users"]) { reader, section in
            if let users = reader.texts(section.take("users"), "user names or numbers") {
                configuration.administrators = users
            }
        }
        section(file.take("audit"), known: ["to"]) { reader, section in
            let destination = section.take("to")
            configuration.audit = reader.auditDestination(destination)
            configuration.auditLine = destination?.line
        }
        readMetrics(file.take("metrics"), &configuration)
        section(file.take("log"), known: ["level"]) { reader, section in
            if let level = reader.logLevel(section.take("level")) { configuration.logLevel = level }
        }
        noteUnknown(file, known: Self.sections)
        return configuration
    }

    private mutating func readSockets(_ item: Item?, _ sockets: inout DaemonConfiguration.Sockets) {
        section(item, known: ["requests", "admin", "max_connections"]) { reader, section in
            reader.readSocket(section.take("requests"), &sockets.requests)
            let admin = section.take("admin")
            reader.readSocket(admin, &sockets.admin)
            if sockets.requests.path == sockets.admin.path {
                let line = admin?.line ?? item?.line
                reader.note(line, "sockets.admin.path", "should differ from sockets.requests.path")
            }
            if let count = reader.integer(section.take("max_connections"), 1...100_000) {
                sockets.maxConnections = count
            }
        }
    }

    private mutating func readSocket(_ item: Item?, _ socket: inout DaemonConfiguration.Socket) {
        section(item, known: ["path", "mode", "group"]) { reader, section in
            if let item = section.take("path"), let path = reader.text(item) {
                let isValid = path.hasPrefix("/") && path.utf8.count <= Self.maxSocketPath
                if isValid {
                    socket.path = path
                } else {
                    reader.note(item, "should be an absolute path of up to \(Self.maxSocketPath) bytes")
                }
            }
            if let mode = reader.mode(section.take("mode")) { socket.mode = mode }
            let item = section.take("group")
            if let group = reader.text(item, "should be a group's name or number") {
                (socket.group, socket.groupLine) = (group, item?.line)
            }
        }
    }

    private mutating func mode(_ item: Item?) -> UInt32? {
        guard let item else { return nil }
        guard let text = item.text, (3...4).contains(text.utf8.count), Self.whole(text) != nil, !text.hasPrefix("-"),
            let mode = UInt32(text, radix: 8), mode <= 0o777
        else {
            note(item, "should be a mode in octal digits and quotes, such as \"0660\"")
            return nil
        }
        return mode
    }

    private mutating func readCache(_ item: Item?, _ configuration: inout DaemonConfiguration) {
        let known = ["max_entries", "idle_ttl", "negative_ttl", "keep_across_restarts"]
        section(item, known: known) { reader, section in
            if let count = reader.integer(section.take("max_entries"), 1...10_000_000) {
                configuration.cachePolicy.maxEntries = count
            }
            if let idle = reader.duration(section.take("idle_ttl"), 1...Self.day) {
                configuration.cachePolicy.idleTTL = idle
            }
            if let negative = reader.duration(section.take("negative_ttl"), 0...300) {
                configuration.cachePolicy.negativeTTL = negative
            }
            if let keeps = reader.flag(section.take("keep_across_restarts")) {
                configuration.keepsAcrossRestarts = keeps
            }
        }
    }

    private mutating func readRefresh(_ item: Item?, _ policy: inout CachePolicy) {
        let known = ["ahead", "jitter", "last_chance", "min_ttl", "default_lifetime"]
        section(item, known: known) { reader, section in
            let ahead = section.take("ahead")
            let refreshDeadline = section.take("last_chance")
            let before = reader.faults.count
            if let share = reader.number(ahead, 0.1...0.95) { policy.ahead = share }
            if let share = reader.number(section.take("jitter"), 0...0.2) { policy.jitter = share }
            if let share = reader.number(refreshDeadline, 0.1...0.95) { policy.refreshDeadline = share }
            if let minTTL = reader.duration(section.take("min_ttl"), 1...Self.day) { policy.minTTL = minTTL }
            if let lifetime = reader.duration(section.take("default_lifetime"), 1...Self.day) {
                policy.defaultLifetime = lifetime
            }
            if reader.faults.count == before, policy.ahead >= policy.refreshDeadline,
                let item = ahead ?? refreshDeadline
            {
                reader.note(
                    item.line,
                    section.dotted("ahead"),
                    "should be smaller than last_chance, which is \(policy.refreshDeadline)"
                )
            }
        }
    }

    private mutating func readQuotas(_ item: Item?, _ configuration: inout DaemonConfiguration) {
        section(item, known: ["connections", "waiting", "entries"]) { reader, section in
            if let share = reader.share(section.take("connections")) { configuration.connectionShare = share }
            if let share = reader.share(section.take("waiting")) { configuration.cachePolicy.waitingShare = share }
            if let share = reader.share(section.take("entries")) { configuration.cachePolicy.entriesShare = share }
        }
    }

    private mutating func share(_ item: Item?) -> Double? {
        number(item, Double.leastNonzeroMagnitude...1, "should be a number over 0 and up to 1")
    }

    private mutating func logLevel(_ item: Item?) -> Logger.Level? {
        guard let item else { return nil }
        guard let level = item.text.flatMap(Logger.Level.init(rawValue:)) else {
            let levels = Logger.Level.allCases.map(\.rawValue)
            note(item, "should be one of \(levels.joined(separator: ", "))")
            return nil
        }
        return level
    }

    private mutating func auditDestination(_ item: Item?) -> AuditDestination? {
        guard let item else { return nil }
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
