import ArgumentParser
import Glibc
import NIOCore
import Testing
import TokenCacheClient
import tokencachectl

@Suite("The tool's report of an error")
struct ErrorReportTests {
    @Test(
        "The exit status tells a script what went wrong.",
        arguments: [
            ("unreachable", 69), ("bad_reply", 76), ("denied", 77), ("forbidden", 77), ("rate_limited", 75),
            ("unavailable", 75), ("timeout", 75), ("overloaded", 75), ("shutting_down", 75), ("bad_upstream", 76),
            ("invalid_request", 65), ("unsupported_op", 65), ("invalid_configuration", 78), ("unknown_tenant", 78),
            ("conflict", 73), ("new", 1), ("closed", 1),
        ] as [(String, Int32)]
    )
    func exitStatus(code: String, status: Int32) {
        #expect(ExitCode(for: TokenCacheError.Code(rawValue: code)).rawValue == status)
        #expect(ErrorReport(TokenCacheError(.init(rawValue: code), "no")).exitCode.rawValue == status)
    }

    @Test("An error is one line, with the time after which to try again.")
    func oneLine() {
        #expect(ErrorReport(TokenCacheError(.denied, "no; never")).lines == ["no; never"])
        #expect(
            ErrorReport(TokenCacheError(.rateLimited, "wait", retryAfter: .seconds(2.9))).lines == [
                "wait; try again in 3 s"
            ]
        )
    }

    @Test("The tenant's own words follow, or the reason why it gave no answer.")
    func upstream() {
        func details(_ upstream: TokenCacheError.Upstream) -> [String] {
            ErrorReport(TokenCacheError(.denied, "no", upstream: upstream)).details
        }
        #expect(
            details(.init(status: 401, code: "OAUTH-14", title: "User not\u{1B} found"))
                == ["the tenant answered 401, OAUTH-14: User not? found"]
        )
        #expect(details(.init(status: 403, code: nil, title: nil)) == ["the tenant answered 403"])
        let lost = TokenCacheError.Upstream(status: nil, code: "tls_expired", title: nil)
        #expect(
            ErrorReport(TokenCacheError(.unavailable, "no", upstream: lost)).details
                == ["the tenant gave no answer: tls_expired"]
        )
        #expect(
            details(.init(status: nil, code: "disabled", title: nil)) == ["the user's status in the tenant is disabled"]
        )
        #expect(ErrorReport(TokenCacheError(.denied, "no")).details == [])
    }

    @Test(
        "Each error says what to do next.",
        arguments: [
            ("unreachable", ["systemctl status tokencached.socket"]), ("forbidden", ["tokencachectl hello", "access"]),
            ("conflict", ["in the tenant"]),
            ("denied", ["check the user in the tenant", "`tokencachectl explain 'it'\\''s'`"]),
            ("rate_limited", ["tokencachectl stats", "tokencachectl release-hold"]),
            ("unavailable", ["tokencachectl health", "tokencachectl doctor"]),
            ("timeout", ["journalctl -u tokencached"]),
            ("bad_upstream", ["journalctl -u tokencached"]), ("overloaded", ["tokencachectl stats"]),
            ("shutting_down", ["repeat it"]), ("invalid_request", ["tokencachectl help token"]),
            ("unsupported_op", ["tokencachectl hello"]), ("unknown_tenant", ["tokencachectl hello"]),
            ("invalid_configuration", ["correct the file"]), ("bad_reply", ["/run/socket"]), ("new", []),
        ]
    )
    func advice(code: String, parts: [String]) {
        let context = ErrorContext(
            command: "token",
            socket: .requests,
            path: "/run/socket",
            explanation: "tokencachectl explain 'it'\\''s'"
        )
        let details = ErrorReport(TokenCacheError(.init(rawValue: code), "no"), context).details
        #expect(details.count == (parts.isEmpty ? 0 : 1))
        for part in parts { #expect(details.first?.contains(part) == true, "\(details)") }
        #expect(details.allSatisfy { $0.hasPrefix("next: ") })
    }

    @Test("The advice about a socket depends on the socket and on what kept the tool from it.")
    func sockets() {
        func advice(_ socket: SocketKind, _ code: TokenCacheError.Code, _ cause: CInt? = nil) -> String {
            let context = ErrorContext(command: "stats", socket: socket, path: "/run/socket")
            let cause = cause.map { IOError(errnoCode: $0, reason: "connect") }
            return ErrorReport(TokenCacheError(code, "no", cause: cause), context).details.joined()
        }
        #expect(advice(.admin, .unreachable, ENOENT).contains("tokencached-admin.socket"))
        #expect(advice(.admin, .unreachable, ENOENT).contains("TOKENCACHED_ADMIN_SOCKET"))
        #expect(advice(.requests, .unreachable, ENOENT).contains("TOKENCACHED_SOCKET"))
        #expect(advice(.admin, .unreachable, ECONNREFUSED).contains("tokencached.service"))
        #expect(advice(.admin, .forbidden).contains("admin.users"))
        #expect(advice(.admin, .unknownTenant).contains("hello --admin"))
        #expect(
            advice(.admin, .unsupportedOperation).contains("--admin-socket or TOKENCACHED_ADMIN_SOCKET has to name")
        )
        #expect(!advice(.requests, .unsupportedOperation).contains("SOCKET"))
    }

    @Test("A command's own advice goes before the general one.")
    func ownAdvice() {
        let context = ErrorContext(command: "token", socket: .requests, path: "/run/socket", advice: "do this")
        #expect(ErrorReport(TokenCacheError(.denied, "no"), context).details == ["next: do this"])
        #expect(ErrorReport(TokenCacheError(.init(rawValue: "new"), "no"), context).details == ["next: do this"])
    }

    @Test("Who may not use the socket is told who may.")
    func access() {
        func advice(_ access: SocketAccess?) -> String {
            let context = ErrorContext(command: "stats", socket: .admin, path: "/run/socket", access: access)
            let cause = IOError(errnoCode: EACCES, reason: "connect")
            return ErrorReport(TokenCacheError(.unreachable, "no", cause: cause), context).details.joined()
        }
        #expect(advice(SocketAccess(owner: "root", group: "users")).contains("`usermod --append --groups users USER`"))
        #expect(advice(SocketAccess(owner: "root", group: nil)).contains("only the user root may use it: try sudo"))
        #expect(advice(SocketAccess(owner: nil, group: nil)).contains("the user that owns it"))
        #expect(advice(nil).contains("`namei -l /run/socket`"))
    }

    @Test("A timeout of the daemon's own is about the tenant, and another one about the daemon.")
    func timeouts() {
        let context = ErrorContext(command: "token", socket: .requests, path: "/run/socket", explanation: "explain it")
        let own = ErrorReport(TokenCacheError(.timeout, "no", requestState: .answered), context).details.joined()
        #expect(own.contains("explain it") && own.contains("--timeout"))
        let none = ErrorReport(TokenCacheError(.timeout, "no", requestState: .sent), context).details.joined()
        #expect(none.contains("systemctl status tokencached.service"))
    }

    @Test("Each fault of a configuration is a line of its own.")
    func faults() {
        let faults = ["/c.yaml:1: a: is plain; use b", "/c.yaml:2: c: is unknown", "/c.yaml: d: is missing; add it"]
        let error = TokenCacheError(.invalidConfiguration, faults.joined(separator: "; "))
        #expect(ErrorReport(error).lines == faults)
        #expect(ErrorReport(TokenCacheError(.invalidConfiguration, "no; path")).lines == ["no; path"])
    }
}
