import Logging
import ServiceLifecycle
import SocketServer
import TokenCache

/// Asks again for names in the access rules that this machine doesn't know yet, and for the names of peers whom they may
/// mean: a directory server may come up after the daemon.
struct AccountService: Service {
    /// Names that are not known are asked for again after so long, then after twice as long each time, up to a minute.
    private static let firstPause = Duration.seconds(2)
    private static let longestPause = Duration.seconds(60)
    /// Rounds for peers that come follow one another at least so far apart.
    private static let roundPause = Duration.seconds(1)

    let frontend: Frontend
    let resolver: AccountResolver
    let requests: AccountRequests
    let log: Logger

    func run() async throws {
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

    private func round() async {
        let before = await frontend.unresolvedNames
        let known = await resolver.resolveFurther(before)
        await frontend.apply(known)
        let after = await frontend.unresolvedNames
        guard after != before else { return }
        let found = before.all.filter { !after.all.contains($0) }
        log.notice(
            "names in the access rules are known now",
            metadata: [LogKey.names: "\(found.joined(separator: ","))"]
        )
    }
}

/// Wishes for a round of the name service; several at once are one.
struct AccountRequests: Sendable {
    fileprivate let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    /// Asks for a round.
    func ask() { continuation.yield() }
}
