import Secrets
import SocketServer
import TokenProtocol

/// Answers `hello` at once, a request for the token of the subject `h` as a hit, `flush` at once with a number, and everything else when the test delivers a reply.
final class RecordingHandler: RequestHandler {
    private(set) var waiters: [Waiter] = []
    private(set) var cancelled: [Waiter] = []
    /// The outcomes of requests that had to wait.
    private(set) var outcomes: [RequestCounters.Kind] = []
    /// The errors by which connections answered by themselves.
    private(set) var rejections: [RequestCounters.Kind] = []
    private(set) var unsolicited: [ErrorReply.Code] = []
    private(set) var kinds: [SocketKind] = []
    private(set) var hits = 0

    private static let token = TokenReply(
        token: GrantedToken(AccessToken("abc"), scope: "s", expiresAt: WallTime(seconds: 1_795_471_800)),
        expiresIn: 7,
        source: .cache
    )

    func handle(_ request: Request, from client: Client, waiter: Waiter) -> Reply? {
        kinds.append(client.socket)
        switch request.operation {
        case .hello:
            return .hello(HelloReply(version: "0", operations: [], tenants: [String(repeating: "x", count: 1_000)]))
        case .flush: return .flushed(kinds.count)
        default:
            waiters.append(waiter)
            return nil
        }
    }

    func withHits(for client: Client, _ body: (HitLookup) -> Void) {
        body { _, user, _, _, _, id, output in
            guard user.count == 1, user[0] == UInt8(ascii: "h") else { return false }
            hits += 1
            ReplyEncoder.encode(Self.token, id: id, into: &output)
            return true
        }
    }

    func turnEnded() {}

    func cancel(_ waiters: [Waiter]) { cancelled += waiters }

    func ended(_ operation: OperationName, _ outcome: RequestOutcome) {
        outcomes.append(RequestCounters.Kind(operation, outcome))
    }

    func rejected(_ operation: OperationName?, _ code: ErrorReply.Code, from client: Client) {
        rejections.append(RequestCounters.Kind(operation, .error(code)))
    }

    func sentError(_ code: ErrorReply.Code) { unsolicited.append(code) }
}
