import NIOCore
import NIOPosix

#if canImport(Glibc)
import Glibc
#endif

#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// A connection to a tokencached on this machine, shared by all callers of a process.
///
/// Requests go side by side on one connection and are told apart by number. It lives on its connection's event loop.
/// When it is no longer needed, ``close()`` it.
public actor TokenCacheClient {
    /// How long a call may take beyond what the daemon was given: the daemon answers in its time, unless it hangs.
    private static let patience = Duration.seconds(5)
    /// What the daemon takes for a token where a request doesn't say.
    private static let daemonTimeout = 10.0

    private typealias Waiting = CheckedContinuation<Data, any Error>

    private nonisolated let eventLoop: any EventLoop
    private var channel: (any Channel)?
    private var waiting: [Int: Waiting] = [:]
    private var lastID = 0
    private var isClosed = false

    /// The connection's event loop.
    public nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe eventLoop.executor.asUnownedSerialExecutor()
    }

    /// Connects.
    ///
    /// - Parameter path: The socket's.
    public init(connectingTo path: String) async throws(TokenCacheError) {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        eventLoop = loop
        let connected: any Channel
        do {
            connected = try await ClientBootstrap(group: loop).connect(unixDomainSocketPath: path).get()
        } catch {
            throw TokenCacheError(.unreachable, "no daemon can be reached at \(path): \(Self.reason(error))")
        }
        do {
            try attach(connected)
        } catch {
            throw TokenCacheError(.connectionLost, "the connection to the daemon was lost")
        }
    }

    private func attach(_ channel: any Channel) throws {
        self.channel = channel
        let handler = ClientChannelHandler(
            line: { line in self.assumeIsolated { $0.received(line) } },
            gone: { self.assumeIsolated { $0.connectionEnded() } }
        )
        try channel.pipeline.syncOperations.addHandler(handler)
        // The connection may have ended before the handler was there to see it.
        if !channel.isActive { connectionEnded() }
    }

    // MARK: Calls

    /// A user's token.
    ///
    /// - Parameters:
    ///   - user: Who.
    ///   - tenant: The tenant's name in the daemon's configuration; nil: the default one.
    ///   - scope: Scopes with spaces between; nil: the tenant's own.
    ///   - minTTL: What must be left, in seconds.
    ///   - timeout: How long the daemon may take, in seconds; 10 where nothing is said.
    ///   - noCache: Whether a cached token won't do.
    public func token(
        for user: User,
        tenant: String? = nil,
        scope: String? = nil,
        minTTL: Double? = nil,
        timeout: Double? = nil,
        noCache: Bool = false
    ) async throws -> UserToken {
        var request = ClientRequest("token", user: user, tenant: tenant, scope: scope)
        request.minTTL = minTTL
        request.timeout = timeout
        request.noCache = noCache ? true : nil
        let reply = try await call(request)
        do {
            return try JSONDecoder().decode(UserToken.self, from: reply)
        } catch {
            throw TokenCacheError(.invalidReply, "the daemon's reply is no token")
        }
    }

    /// Any operation; the reply is the daemon's line as it came.
    public func call(_ request: ClientRequest) async throws -> Data {
        guard let channel, !isClosed else { throw TokenCacheError(.closed, "the client was closed") }
        lastID += 1
        let id = lastID
        var request = request
        request.id = id
        var line = channel.allocator.buffer(bytes: try JSONEncoder().encode(request))
        line.writeString("\n")
        let limit = Duration.seconds(request.timeout ?? Self.daemonTimeout) + Self.patience
        let timer = eventLoop.scheduleTask(in: TimeAmount(limit)) {
            self.assumeIsolated { $0.end(id, TokenCacheError(.timedOut, "the daemon did not answer in time")) }
        }
        defer { timer.cancel() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                // The task may have been cancelled before there was anything to cancel.
                guard !Task.isCancelled else { return continuation.resume(throwing: CancellationError()) }
                waiting[id] = continuation
                channel.writeAndFlush(line, promise: nil)
            }
        } onCancel: {
            eventLoop.execute { self.assumeIsolated { $0.end(id, CancellationError()) } }
        }
    }

    /// Ends the connection; calls that wait fail.
    public func close() async {
        isClosed = true
        endAll(TokenCacheError(.closed, "the client was closed"))
        try? await channel?.close()
    }

    // MARK: Replies

    private func received(_ line: ByteBuffer) {
        let data = Data(line.readableBytesView)
        guard let reply = try? JSONDecoder().decode(ReplyLine.self, from: data) else { return lose() }
        guard let id = reply.id else {
            // Every request of ours has an id: this is about the connection itself, which the daemon closes.
            if let error = reply.error { endAll(error) }
            return lose()
        }
        // A reply that nobody waits for any more is one that came too late.
        guard let continuation = waiting.removeValue(forKey: id) else { return }
        if let error = reply.error {
            continuation.resume(throwing: error)
        } else {
            continuation.resume(returning: data)
        }
    }

    private func lose() { channel?.close(promise: nil) }

    private func connectionEnded() {
        isClosed = true
        endAll(TokenCacheError(.connectionLost, "the connection to the daemon was lost"))
    }

    private func end(_ id: Int, _ error: any Error) {
        waiting.removeValue(forKey: id)?.resume(throwing: error)
    }

    private func endAll(_ error: TokenCacheError) {
        let ended = waiting
        waiting = [:]
        for (_, continuation) in ended { continuation.resume(throwing: error) }
    }

    private static func reason(_ error: any Error) -> String {
        switch (error as? IOError)?.errnoCode {
        case ENOENT: "there is no socket"
        case ECONNREFUSED: "nobody listens there"
        case EACCES: "this user may not use it"
        default: "the connection could not be made"
        }
    }
}
