import Glibc
import SystemPackage
import Systemd

/// Reads what the kernel says about the daemon's process.
enum ProcessProbe {
    /// The capability to lock any amount of memory (`CAP_IPC_LOCK`).
    private static let lockCapability = 14
    private static let longestFile = 1_048_576

    /// The daemon's process.
    struct Result: Sendable {
        var reader: SecretFile.Reader
        var files: Int?
        var lockedMemory: Int?
        var mayLockAll = false
        /// The environment, or nil if this user may not read it.
        var environment: [String: String]?
    }

    /// Looks at a process.
    ///
    /// Returns nil if there is none of this number.
    static func look(at process: Int32) -> Result? {
        guard let status = read("/proc/\(process)/status") else { return nil }
        let user = numbers(status, "Uid:").dropFirst().first
        let groups = numbers(status, "Gid:").dropFirst().prefix(1) + numbers(status, "Groups:")
        guard let user else { return nil }
        var result = Result(reader: SecretFile.Reader(user: user, groups: Array(groups)))
        let limits = read("/proc/\(process)/limits") ?? ""
        result.files = limit(limits, "Max open files")
        result.lockedMemory = limit(limits, "Max locked memory")
        let capabilities = words(status, "CapEff:").first.flatMap { UInt64($0, radix: 16) } ?? 0
        result.mayLockAll = capabilities >> UInt64(lockCapability) & 1 == 1
        result.environment = read("/proc/\(process)/environ").map(environment)
        return result
    }

    private static func words(_ text: String, _ start: String) -> [Substring] {
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(start) }) else { return [] }
        return line.dropFirst(start.count).split { $0 == " " || $0 == "\t" }
    }

    private static func numbers(_ text: String, _ start: String) -> [UInt32] {
        words(text, start).compactMap { UInt32($0) }
    }

    /// The soft limit, the first number of its line.
    private static func limit(_ text: String, _ name: String) -> Int? {
        guard let word = words(text, name).first else { return nil }
        return word == "unlimited" ? .max : Int(word)
    }

    private static func environment(_ text: String) -> [String: String] {
        let pairs = text.split(separator: "\0").compactMap { entry -> (String, String)? in
            let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            return parts.count == 2 ? (parts[0], parts[1]) : nil
        }
        return Dictionary(pairs) { first, _ in first }
    }

    private static func read(_ path: String) -> String? {
        guard let descriptor = unsafe try? FileDescriptor.open(path, .readOnly, options: .closeOnExec) else {
            return nil
        }
        defer { try? descriptor.close() }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65_536)
        while bytes.count < longestFile {
            let count = unsafe part.withUnsafeMutableBytes { unsafe (try? descriptor.read(into: $0)) ?? -1 }
            guard count >= 0 else { return nil }
            guard count > 0 else { break }
            bytes += part[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
