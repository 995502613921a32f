#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

extension TokenCacheClient {
    /// The paths of the daemon's sockets, as the environment or the package sets them.
    public enum SocketPath: Sendable {
        /// The socket for apps: `TOKENCACHED_SOCKET` if it is set and not empty, otherwise
        /// `/run/tokencached/tokencached.sock`.
        public static var requests: String { path(of: "TOKENCACHED_SOCKET") ?? "/run/tokencached/tokencached.sock" }

        /// The socket for operators: `TOKENCACHED_ADMIN_SOCKET` if it is set and not empty, otherwise
        /// `/run/tokencached-admin/admin.sock`.
        public static var admin: String { path(of: "TOKENCACHED_ADMIN_SOCKET") ?? "/run/tokencached-admin/admin.sock" }

        /// The path without a leading `unix://`.
        static func plain(_ text: String) -> String {
            text.hasPrefix("unix://") ? String(text.dropFirst("unix://".count)) : text
        }

        private static func path(of variable: String) -> String? {
            ProcessInfo.processInfo.environment[variable].flatMap { $0.isEmpty ? nil : $0 }
        }
    }
}
