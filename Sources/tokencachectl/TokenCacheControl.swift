package import ArgumentParser

// tokencachectl: the operator's tool.
//
// Purpose: an operator asks the daemon at a terminal or in a script, and reads what it says without knowing the
// protocol. A command that asks the daemon is a `DaemonCommand`, which reports errors with advice. One that makes a single
// request and prints the reply is a `RequestCommand`: it consists of a request and of the text for a reply, which tests look
// at without a daemon. `Options` has the options that commands share, `Replies` the replies that only this tool decodes,
// `Views` the layout for people, and `Output` what writes to the terminal and chooses the exit status. Only `Output` knows
// escape sequences, and none from the daemon reaches a terminal. `Top` is the live screen: a value that makes lines from what
// was learned, and the loop that feeds it. `Screen` has the parts of such lines.

/// The tool's root command.
package struct TokenCacheControl: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "tokencachectl",
        abstract: "Controls the tokencached of this machine, and shows what it does.",
        discussion: """
            The options --socket and --admin-socket name the sockets. Without them, the sockets are those of the \
            variables TOKENCACHED_SOCKET and TOKENCACHED_ADMIN_SOCKET, or else those of the packaged units.

            Exit status: 0 done; 64 wrong command line; 65 invalid request; 69 the daemon can't be reached; 73 the user \
            can't be told apart from others (conflict); 74 the output can't be written; 75 try again later (rate_limited, unavailable, timeout, overloaded, shutting_down); 76 the \
            reply of the tenant or the daemon is malformed; 77 denied or forbidden; 78 invalid configuration or unknown \
            tenant; 1 any other failure.
            """,
        version: "0.1.0",
        subcommands: [
            Token.self, Prefetch.self, Invalidate.self, Revoke.self, Provision.self, Hello.self, Health.self,
            Stats.self, Explain.self,
            Entries.self, Metrics.self, Evict.self, Flush.self, ReleaseHold.self, SetLogLevel.self, Reload.self,
            Top.self, Doctor.self, Bench.self, Fleet.self,
        ]
    )

    package init() {}
}
