#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Where the daemon's sockets are.
public enum SocketPath: Sendable {
    /// The apps' socket: `TOKENCACHED_SOCKET`, or where the packaged unit puts it.
    public static var requests: String {
        ProcessInfo.processInfo.environment["TOKENCACHED_SOCKET"] ?? "/run/tokencached/tokencached.sock"
    }

    /// The operators' socket: `TOKENCACHED_ADMIN_SOCKET`, or where the packaged unit puts it.
    public static var admin: String {
        ProcessInfo.processInfo.environment["TOKENCACHED_ADMIN_SOCKET"] ?? "/run/tokencached-admin/admin.sock"
    }
}
