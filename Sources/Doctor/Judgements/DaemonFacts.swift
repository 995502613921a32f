package import TokenCacheClient

/// The daemon's answer to a greeting.
package struct DaemonFacts: Sendable {
    /// The version that the daemon named, or the error.
    package var version: Result<String, TokenCacheError>
    /// The tool's own version.
    package var toolVersion: String

    /// Creates facts.
    package init(version: Result<String, TokenCacheError>, toolVersion: String) {
        self.version = version
        self.toolVersion = toolVersion
    }
}

extension DaemonFacts {
    /// True if a connection was made, and no answer came.
    package var isHung: Bool {
        if case .failure(let error) = version { error.code == .timeout } else { false }
    }

    /// The judgement.
    package var finding: Finding {
        switch version {
        case .success(toolVersion): .ok(.daemon, nil, "it answers, version \(toolVersion)")
        case .success(let other):
            .warning(
                .daemon,
                nil,
                "it answers, but has version \(other), and this tool has \(toolVersion)",
                "restart the daemon after an upgrade: systemctl restart tokencached"
            )
        case .failure(let error): .failed(.daemon, nil, "it doesn't answer: \(error.message)", Self.advice(on: error))
        }
    }

    private static func advice(on error: TokenCacheError) -> String {
        switch error.code {
        case .timeout:
            "a connection was made, so the daemon is starting, stopped or hung: systemctl status tokencached"
        case .forbidden: "add a rule for this user to the section access, or run the doctor as an application's user"
        case .badReply: "another program listens at the path: fuser -v on the socket names it"
        case .overloaded: "too many connections are open: tokencachectl stats shows whose"
        default: "systemctl status tokencached; journalctl -u tokencached -n 50"
        }
    }
}
