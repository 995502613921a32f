package import Logging
import ServiceLifecycle
import SocketServer

/// Looks up the names in the access rules that this machine doesn't know yet, and the names of new peers.
///
/// A directory server may come up after the daemon.
package struct AccountService: DaemonService {
    /// The first pause before unknown names are looked up again.
    ///
    /// Each further pause is twice as long.
    private static let firstPause = Duration.seconds(2)
    /// The longest pause before unknown names are looked up again.
    private static let longestPause = Duration.seconds(60)
    /// The least time between two rounds for new peers.
    private static let roundPause = Duration.seconds(1)

    private let frontend: Frontend
    private let resolver: AccountResolver
    private let requests: AccountRequests
    private let log: Logger

    /// Prepares the service.
    package init(_ frontend: Frontend, _ resolver: AccountResolver, requests: AccountRequests, log: Logger) {
        self.frontend = frontend
        self.resolver = resolver
        self.requests = requests
        self.log = log
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await tick() }
                for await _ in requests.stream {
                    await round()
                    try? await Task.sleep(for: Self.roundPause)
                }
                group.cancelAll()
            }
        }
    }

    private func tick() async {
        var pause = Self.firstPause
        while !Task.isCancelled {
            try? await Task.sleep(for: pause)
            guard await !frontend.unresolvedNames.isEmpty else {
                pause = Self.firstPause
                continue
            }
            resolver.lookAgain()
            requests.ask()
            pause = min(pause * 2, Self.longestPause)
        }
    }

    /// Looks up the unknown names and numbers once, and applies the answers to the access rules.
    package func round() async {
        let before = await frontend.unresolvedNames
        let known = await resolver.resolveFurther(before)
        await frontend.apply(known)
        let after = await frontend.unresolvedNames
        let found = before.all.filter { !after.all.contains($0) }
        // A reload in between may have added names.
        guard !found.isEmpty else { return }
        log.notice(
            "names in the access rules are known now",
            metadata: [LogKey.names: "\(found.joined(separator: ","))"]
        )
    }
}
