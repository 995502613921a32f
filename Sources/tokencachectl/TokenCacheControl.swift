import ArgumentParser
import CArguments

// tokencachectl: the operator's tool. Each command is one request; what it prints is laid out by values that are tested.

/// Runs the tool with the arguments that the kernel gave it.
@main
enum Program {
    static func main() async {
        let arguments = (0..<argument_count()).compactMap { index in
            unsafe argument(index).map { unsafe String(cString: $0) }
        }
        await TokenCacheControl.main(Array(arguments.dropFirst()))
    }
}

/// The operator's tool.
struct TokenCacheControl: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokencachectl",
        abstract: "Asks a tokencached on this machine.",
        discussion: """
            The sockets are those of --socket and --admin-socket, else of TOKENCACHED_SOCKET and \
            TOKENCACHED_ADMIN_SOCKET, else where the packaged units put them.

            Exit status: 0 done; 64 wrong command line; 65 invalid request; 69 no daemon can be reached; 75 try again \
            later (rate_limited, unavailable, timeout, overloaded, shutting_down); 76 the tenant's answer made no sense; \
            77 denied or forbidden; 78 invalid configuration or unknown tenant; 1 anything else.
            """,
        version: "0.1.0",
        subcommands: [
            Token.self, Stats.self, Health.self, Explain.self, Entries.self, Evict.self, Flush.self, Reload.self,
            Hello.self,
        ]
    )
}
