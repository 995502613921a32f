import NIOCore
import NIOPosix

#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// A client of the tokencached daemon on this machine.
///
/// Make one client for the process and share it: it is cheap to call from any number of tasks.
///
/// ```swift
/// let cache = TokenCacheClient()
/// let token = try await cache.token(for: .subject("auth0|alice"))
/// let header = "Bearer \(token.accessToken)"
/// ```
///
/// All callers share one connection, on which requests are told apart by number. When 1,000 requests on it have no reply
/// yet, the client makes another one, so that a cached token never waits behind tokens that have to be minted.
/// The first call connects. When a connection ends, the client connects again and repeats what had no reply: a restart of
/// the daemon fails no call. Call ``close()`` when the client is no longer needed.
///
/// Every call ends: with its result, with a ``TokenCacheError``, or with a `CancellationError` as soon as its task is
/// cancelled. A call ends at its timeout, or up to one second later, because the daemon keeps the timeout itself and its
/// reply says more.
public actor TokenCacheClient {
    /// The time for which a reply is awaited after the caller's timeout.
    ///
    /// The daemon keeps the timeout itself, and its reply says more than the client could.
    private static let replyGrace = TimeAmount.seconds(1)
    /// Sixteen times the longest token that the daemon hands out, in bytes.
    private static let longestReply = 1_024 * 1_024
    /// The range of the grace period for a restart.
    private static let restartGraces = Duration.zero...Duration.seconds(300)

    private typealias Caller = CheckedContinuation<Data, any Error>

    private nonisolated let eventLoop: any EventLoop
    private let path: String
    private let isRestartGraceValid: Bool
    private let longestReply: Int

    private var exchange = Exchange<Caller>()
    private var attempts: ConnectionAttempts
    private var lastID = 0
    private var isClosed = false
    /// True if the calls that wait are sent at the end of this tick of the event loop, in one write.
    private var isScheduled = false
    /// The open connections, the oldest first.
    private var connections: [Connection] = []
    /// The number of the latest connection.
    ///
    /// Each attempt to connect has a number of its own.
    private var lastConnection = 0
    /// The number of the connection that is being opened.
    private var opening: Int?
    /// The delay before the next attempt to connect.
    private var delay: Scheduled<Void>?

    private struct Connection {
        let number: Int
        let channel: any Channel
    }

    /// The executor of the event loop on which the connections are.
    public nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe eventLoop.executor.asUnownedSerialExecutor()
    }

    /// Creates a client.
    ///
    /// It connects when the first call is made.
    ///
    /// - Parameters:
    ///   - path: The path of the daemon's socket, 1 to 107 bytes, with or without `unix://` in front. By default it is that
    ///     of the environment or the package: see ``SocketPath/requests``. If no socket can have the path, calls fail with
    ///     ``TokenCacheError/Code/unreachable``.
    ///   - restartGrace: The time for which calls wait for a daemon that isn't there, from 0 to 300 s, before they fail
    ///     with ``TokenCacheError/Code/unreachable``. When it has passed, further calls fail at once until the daemon is
    ///     there again. If it is out of range, all calls fail with ``TokenCacheError/Code/invalidRequest``.
    public init(path: String = SocketPath.requests, restartGrace: Duration = .seconds(2)) {
        self.init(path: path, restartGrace: restartGrace, longestReply: Self.longestReply)
    }

    /// Creates a client that accepts replies of any length.
    ///
    /// - Parameters:
    ///   - path: The path of the daemon's socket.
    ///   - restartGrace: The time for which calls wait for a daemon that isn't there.
    ///   - longestReply: The longest reply in bytes.
    package init(path: String, restartGrace: Duration, longestReply: Int) {
        eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let path = SocketPath.plain(path)
        self.path = path
        self.longestReply = longestReply
        isRestartGraceValid = Self.restartGraces.contains(restartGrace)
        attempts = ConnectionAttempts(path: path, restartGrace: isRestartGraceValid ? TimeAmount(restartGrace) : .zero)
    }

    deinit {
        for connection in connections { connection.channel.close(promise: nil) }
    }

    // MARK: Calls

    /// Performs any operation, also one that has no method of its own.
    ///
    /// - Parameter request: The operation and its members.
    /// - Returns: The daemon's line, a JSON object that is not an error.
    /// - Throws: A ``TokenCacheError``, or a `CancellationError` if the task was cancelled.
    public func call(_ request: Request) async throws -> Data {
        let line = try RequestLine(request)
        return try await call(line, before: .now() + line.timeout)
    }

    /// Sends a request and waits for its reply until the deadline.
    func call(_ line: RequestLine, before deadline: NIODeadline) async throws -> Data {
        guard !isClosed else { throw TokenCacheError.closed }
        guard isRestartGraceValid else {
            throw TokenCacheError(.invalidRequest, "'restartGrace' must be from 0 to 300 seconds")
        }
        guard !attempts.isPathInvalid else { throw attempts.unreachable() }
        lastID += 1
        let id = lastID
        let timer = wake(at: deadline) { $0.timeoutPassed(id) }
        defer { timer.cancel() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                // The task may have been cancelled before its call could be.
                guard !Task.isCancelled else { return continuation.resume(throwing: CancellationError()) }
                exchange.add(Exchange.Call(line: line, deadline: deadline, caller: continuation), id: id)
                schedule()
            }
        } onCancel: {
            eventLoop.execute { self.assumeIsolated { $0.cancel(id) } }
        }
    }

    /// Closes the client: waiting calls and later ones fail with ``TokenCacheError/Code/closed``.
    ///
    /// It returns when the connections are closed. What the daemon has begun goes on there.
    public func close() async {
        isClosed = true
        complete(exchange.end(.closed))
        delay?.cancel()
        opening = nil
        let last = connections
        connections = []
        for connection in last { try? await connection.channel.close() }
    }

    private func timeoutPassed(_ id: Int) {
        // A call that is neither sent nor waits for a connection is about to be sent.
        guard exchange.isUnderWay(id) || connections.isEmpty && delay == nil else { return timeOut(id) }
        wake(at: .now() + Self.replyGrace) { $0.timeOut(id) }
    }

    private func timeOut(_ id: Int) {
        let error = connections.isEmpty ? attempts.unreachable() : .timeout
        giveUp(id) { error.with($0) }
    }

    private func cancel(_ id: Int) {
        giveUp(id) { _ in CancellationError() }
    }

    private func giveUp(_ id: Int, _ error: (TokenCacheError.RequestState) -> any Error) {
        guard let call = exchange.giveUp(id) else { return }
        call.caller.resume(throwing: error(call.requestState))
        schedule()
    }

    private func complete(_ completions: [Exchange<Caller>.Completion]) {
        for completion in completions { completion.caller.resume(with: completion.result.mapError { $0 }) }
    }

    // A timer doesn't retain the client, which may be released when nobody waits for it.
    @discardableResult
    private func wake(
        at deadline: NIODeadline,
        _ action: @escaping @Sendable (isolated TokenCacheClient) -> Void
    ) -> Scheduled<Void> {
        eventLoop.scheduleTask(deadline: deadline) { [weak self] in self?.assumeIsolated(action) }
    }

    // MARK: Connections

    private func schedule() {
        guard !isScheduled else { return }
        isScheduled = true
        eventLoop.execute { self.assumeIsolated { $0.proceed() } }
    }

    /// Sends what waits, closes connections that are not needed any more, and makes one that is.
    private func proceed() {
        isScheduled = false
        guard !isClosed else { return }
        for connection in connections {
            // While the daemon is shutting down, the next one may not be there yet.
            let backsOff = exchange.isDraining(connection.number)
            exchange.isDispensable(connection.number) ? drop(connection, backsOff: backsOff) : send(on: connection)
        }
        if exchange.needsConnection, opening == nil, delay == nil { connect() }
    }

    private func send(on connection: Connection) {
        guard connection.channel.isWritable else { return }
        var lines = connection.channel.allocator.buffer(capacity: 0)
        exchange.send(on: connection.number, at: .now(), into: &lines)
        if lines.readableBytes > 0 { connection.channel.writeAndFlush(lines, promise: nil) }
    }

    private func connect() {
        lastConnection += 1
        let number = lastConnection
        opening = number
        let descriptor: CInt
        do { descriptor = try DaemonSocket.connect(to: path) } catch { return failedToOpen(error, number) }
        ClientBootstrap(group: eventLoop)
            .channelInitializer { [weak self, longestReply] channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = ConnectionHandler(longestReply: longestReply) { event in
                        self?.assumeIsolated { $0.handle(event, on: number) }
                    }
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .withConnectedSocket(descriptor)
            .whenComplete { [weak self] result in
                switch result {
                case .success(let channel):
                    // The client may have been released while its connection was being opened.
                    guard let self else { return channel.close(promise: nil) }
                    assumeIsolated { $0.opened(Connection(number: number, channel: channel)) }
                case .failure(let error): self?.assumeIsolated { $0.failedToOpen(error, number) }
                }
            }
    }

    private func opened(_ connection: Connection) {
        guard opening == connection.number else { return connection.channel.close(promise: nil) }
        opening = nil
        attempts.connected()
        connections.append(connection)
        exchange.connected(connection.number)
        // The connection may have ended before it was known to be open.
        connection.channel.isActive ? proceed() : lose(connection)
    }

    private func failedToOpen(_ error: any Error, _ number: Int) {
        guard opening == number else { return }
        opening = nil
        let backoff = attempts.failed(error, at: .now())
        // Callers can still be served on the connections that are open.
        guard backoff != nil || !connections.isEmpty else { return complete(exchange.end(attempts.unreachable())) }
        connectAgain(after: backoff ?? ConnectionAttempts.longestDelay)
    }

    private func connectAgain(after time: TimeAmount) {
        delay?.cancel()
        delay = wake(at: .now() + time) {
            $0.delay = nil
            $0.proceed()
        }
    }

    private func handle(_ event: ConnectionHandler.Event, on number: Int) {
        guard let connection = connections.first(where: { $0.number == number }) else { return }
        switch event {
        case .lines(let lines):
            attempts.answered()
            perform(exchange.receive(lines, on: number), on: connection)
        case .lineTooLong: perform(exchange.receiveMalformed(on: number), on: connection)
        case .writable: proceed()
        case .ended: lose(connection)
        }
    }

    private func perform(_ effect: Exchange<Caller>.Effect, on connection: Connection) {
        complete(effect.completions)
        effect.isConnectionUsable ? proceed() : lose(connection)
    }

    /// Removes a connection that has ended or can't be used further.
    private func lose(_ connection: Connection) {
        drop(connection, backsOff: true)
        proceed()
    }

    private func drop(_ connection: Connection, backsOff: Bool) {
        if backsOff { connectAgain(after: attempts.disconnected()) }
        connections.removeAll { $0.number == connection.number }
        exchange.disconnected(connection.number)
        connection.channel.close(promise: nil)
    }
}
