import Glibc

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Figures of this process, as `/proc` has them.
///
/// Each is nil where `/proc` doesn't have it.
struct ProcessFigures: Sendable, Equatable {
    /// The time of the start in seconds since 1970.
    var startTime: Double?
    var cpuSeconds: Double?
    var residentBytes: Int?
    var virtualBytes: Int?
    var openFiles: Int?
    var maxFiles: Int?

    /// Reads the figures, which takes some file reads.
    static func read() -> ProcessFigures {
        var figures = ProcessFigures(stat: text("/proc/self/stat"), bootTime: bootTime(text("/proc/stat")))
        // One of them is the descriptor of the directory itself.
        figures.openFiles = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")).map { $0.count - 1 }
        var limit = rlimit()
        if unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            figures.maxFiles = Int(clamping: limit.rlim_cur)
        }
        return figures
    }

    /// Takes the figures of `/proc/self/stat`, whose fields proc(5) numbers from 1.
    ///
    /// - Parameter bootTime: The time of the machine's start in seconds since 1970.
    init(stat: String, bootTime: Double?) {
        // The second field is the program's name in parentheses, which may contain spaces and parentheses itself.
        guard let end = stat.lastIndex(of: ")") else { return }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        func number(_ field: Int) -> Double? { fields.count > field - 3 ? Double(fields[field - 3]) : nil }
        let ticks = Double(sysconf(CInt(_SC_CLK_TCK)))
        if let user = number(14), let system = number(15) { cpuSeconds = (user + system) / ticks }
        if let bootTime, let start = number(22) { startTime = bootTime + start / ticks }
        virtualBytes = number(23).map { Int($0) }
        residentBytes = number(24).map { Int($0) * sysconf(CInt(_SC_PAGESIZE)) }
    }

    /// Returns the time of the machine's start from `/proc/stat`.
    static func bootTime(_ text: String) -> Double? {
        for line in text.split(separator: "\n") where line.hasPrefix("btime ") { return Double(line.dropFirst(6)) }
        return nil
    }

    private static func text(_ path: String) -> String {
        (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    }
}
