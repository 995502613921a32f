import Glibc
import NIOCore
import TokenCacheClient

/// The next step for a person whose call has failed.
struct ErrorAdvice {
    /// The longest path of a socket in bytes.
    private static let longestPath = 107

    private let error: TokenCacheError
    private let context: ErrorContext

    init(_ error: TokenCacheError, _ context: ErrorContext) {
        self.error = error
        self.context = context
    }

    /// The advice in one line, or nil if there is none.
    var text: String? { context.advice ?? general }

    /// The advice that holds for every command.
    private var general: String? {
        switch error.code {
        case .unreachable: unreachable
        case .forbidden: forbidden
        case .denied: "check the user in the tenant; \(explanation) shows how long the denial is remembered"
        case .conflict: "resolve it in the tenant: at most one user may have the subject"
        case .rateLimited:
            "`tokencachectl stats` shows each tenant's rate and hold; `tokencachectl release-hold` ends a wrong hold"
        case .unavailable:
            "`tokencachectl health` says what is wrong; `tokencachectl doctor` checks the way to the tenant"
        case .timeout: timeout
        case .badUpstream:
            "`journalctl -u tokencached -p warning` names the tenant's answer; a proxy may have given it"
        case .overloaded: "`tokencachectl stats` shows who uses what (rows connections and uid)"
        case .shuttingDown: "repeat it: the daemon is ending or being restarted"
        case .invalidRequest: "`tokencachectl help \(context.command)` shows what is allowed"
        case .unsupportedOperation: unsupported
        case .unknownTenant: "`tokencachectl hello\(adminOption)` lists the tenants"
        case .invalidConfiguration: "correct the file and reload again: the old configuration stays in force until then"
        case .badReply: "make sure that tokencached listens at \(context.path), in the version of this tool"
        default: nil
        }
    }

    /// The command that explains the key, in quotes.
    private var explanation: String { "`\(context.explanation ?? "tokencachectl explain SUBJECT")`" }

    private var adminOption: String { context.socket == .admin ? " --admin" : "" }

    private var unit: String {
        switch context.socket {
        case .requests: "tokencached.socket"
        case .admin: "tokencached-admin.socket"
        }
    }

    private var option: String {
        switch context.socket {
        case .requests: "--socket or TOKENCACHED_SOCKET"
        case .admin: "--admin-socket or TOKENCACHED_ADMIN_SOCKET"
        }
    }

    private var unreachable: String {
        switch (error.cause as? IOError)?.errnoCode {
        case EACCES: unpermitted
        case nil where context.path.isEmpty || context.path.utf8.count > Self.longestPath:
            "\(option) names another path"
        case ENOENT: "`systemctl status \(unit)` says if the socket's unit is active; \(option) names another path"
        default: "`systemctl status \(unit) tokencached.service` says if the daemon runs"
        }
    }

    private var unpermitted: String {
        guard let access = context.access else { return "`namei -l \(context.path)` shows who may use it" }
        if let group = access.group {
            return
                "members of the group \(group) may use it: `usermod --append --groups \(group) USER`, and log in again"
        }
        return "only the user \(access.owner ?? "that owns it") may use it: try sudo"
    }

    private var forbidden: String {
        switch context.socket {
        case .requests:
            "`tokencachectl hello` shows what the access rules let this user do; see `access` in the configuration"
        case .admin: "`admin.users` in the configuration names the administrators; tokens need an access rule as well"
        }
    }

    private var unsupported: String {
        let age = "the daemon may be older than this tool: `tokencachectl hello` shows its version"
        switch context.socket {
        case .requests: return age
        case .admin: return "\(option) has to name the operators' socket; if it does, \(age)"
        }
    }

    private var timeout: String {
        // The daemon's own timeout is an answer. Without one the daemon itself is in trouble.
        guard error.requestState == .answered else {
            return "`systemctl status tokencached.service` says if the daemon runs; see `journalctl -u tokencached`"
        }
        return "\(explanation) shows what the call waits for; --timeout allows it more time"
    }
}
