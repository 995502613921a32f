#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Where the daemon's sockets are.
public enum SocketPath: Sendable {
    /// The apps' socket: `TOKENCACHED_SOCKET`, or where the packaged unit puts it.
    public static var requests: String { path(of: "TOKENCACHED_SOCKET") ?? "/run/tokencached/tokencached.sock" }

    /// The operators' socket: `TOKENCACHED_ADMIN_SOCKET`, or where the packaged unit puts it.
    public static var admin: String { path(of: "TOKENCACHED_ADMIN_SOCKET") ?? "/run/tokencached-admin/admin.sock" }

    /// The path that a text means: `unix://` may stand in front of it.
    static func plain(_ text: String) -> String {
        text.hasPrefix("unix://") ? String(text.dropFirst("unix://".count)) : text
    }

    /// A variable's value; one that is empty is not set.
    private static func path(of variable: String) -> String? {
        ProcessInfo.processInfo.environment[variable].flatMap { $0.isEmpty ? nil : $0 }
    }
}
