import NIOCore
import NIOPosix

#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// A tokencached on this machine, over connections that all callers of a process share.
///
/// Requests go side by side on one connection and are told apart by number; where 1,000 on it have no answer yet, another
/// one is made, so that a cached token never waits behind slow ones. Connections are made when a call needs them, and made
/// again after they ended: what was under way is asked again. All live on one event loop. When the client is no longer
/// needed, ``close()`` it.
public actor TokenCacheClient {
    /// How much longer than the caller's time-out a reply to what was sent is waited for: the daemon keeps that time-out
    /// itself, and its reply says more than ours could.
    private static let grace = TimeAmount.seconds(1)
    /// Sixteen times the longest token that the daemon hands out.
    private static let longestReply = 1_024 * 1_024
    /// The range of a grace for a restart, in seconds.
    private static let restartGraces = 0.0...300.0

    private typealias Caller = CheckedContinuation<Data, any Error>

    private nonisolated let eventLoop: any EventLoop
    private let path: String
    private let hasSensibleGrace: Bool
    private let longestReply: Int

    private var exchange = Exchange<Caller>()
    private var attempts: Attempts
    private var lastID = 0
    private var isClosed = false
    /// Whether what waits is sent at the end of this turn of the loop, in one write.
    private var isScheduled = false
    /// Those that are open, the oldest first.
    private var links: [Link] = []
    /// Counts the attempts to connect, so that each connection has a number of its own.
    private var lastConnection = 0
    /// The one that is being made.
    private var opening: Int?
    /// Before its end no connection is made.
    private var pause: Scheduled<Void>?

    private struct Link {
        let number: Int
        let channel: any Channel
    }

    /// The connections' event loop.
    public nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe eventLoop.executor.asUnownedSerialExecutor()
    }

    /// Makes a client, which connects when it is first asked.
    ///
    /// - Parameters:
    ///   - path: The socket's, of at most 107 bytes; `unix://` may stand in front. ``SocketPath/requests`` where nothing
    ///     is said.
    ///   - restartGrace: For how long calls wait for a daemon that isn't there, in seconds from 0 to 300, before they fail
    ///     with ``TokenCacheError/Code/unreachable``; with any other number all fail with
    ///     ``TokenCacheError/Code/invalidRequest``. The grace is used up once: later calls fail at once, until the daemon
    ///     is there again.
    public init(path: String = SocketPath.requests, restartGrace: Double = 2) {
        self.init(path: path, restartGrace: restartGrace, longestReply: Self.longestReply)
    }

    /// Makes a client.
    ///
    /// - Parameters:
    ///   - path: The socket's.
    ///   - restartGrace: In seconds.
    ///   - longestReply: In bytes.
    package init(path: String, restartGrace: Double, longestReply: Int) {
        eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let path = SocketPath.plain(path)
        self.path = path
        self.longestReply = longestReply
        hasSensibleGrace = Self.restartGraces.contains(restartGrace)
        let milliseconds = hasSensibleGrace ? Int64(restartGrace * 1_000) : 0
        attempts = Attempts(path: path, restartGrace: .milliseconds(milliseconds))
    }

    deinit {
        for link in links { link.channel.close(promise: nil) }
    }

    // MARK: Calls

    /// Any operation; the reply is the daemon's line as it came, an object in JSON that is no error.
    ///
    /// - Throws: A ``TokenCacheError``, or a `CancellationError` where the task was cancelled.
    public func call(_ request: ClientRequest) async throws -> Data {
        let line = try RequestLine(request)
        return try await call(line, before: .now() + line.timeout)
    }

    /// Asks and waits for the reply, as long as there is time.
    func call(_ line: RequestLine, before deadline: NIODeadline) async throws -> Data {
        guard !isClosed else { throw TokenCacheError.closed }
        guard hasSensibleGrace else {
            throw TokenCacheError(.invalidRequest, "'restartGrace' should be seconds, 0 to 300")
        }
        guard !attempts.isHopeless else { throw attempts.unreachable() }
        lastID += 1
        let id = lastID
        let timer = wake(at: deadline) { $0.timePassed(id) }
        defer { timer.cancel() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                // The task may have been cancelled before there was anything to cancel.
                guard !Task.isCancelled else { return continuation.resume(throwing: CancellationError()) }
                exchange.add(Exchange.Call(line: line, deadline: deadline, caller: continuation), id: id)
                schedule()
            }
        } onCancel: {
            eventLoop.execute { self.assumeIsolated { $0.giveUp(id, CancellationError()) } }
        }
    }

    /// Ends the connections; calls that wait fail, and later ones too.
    public func close() async {
        isClosed = true
        finish(exchange.end(.closed))
        pause?.cancel()
        opening = nil
        let last = links
        links = []
        for link in last { try? await link.channel.close() }
    }

    private func timePassed(_ id: Int) {
        // What has neither been sent nor waits for anything else is about to be sent.
        guard exchange.isUnderWay(id) || links.isEmpty && pause == nil else { return giveUp(id, late()) }
        wake(at: .now() + Self.grace) { $0.giveUp(id, $0.late()) }
    }

    private func late() -> TokenCacheError { links.isEmpty ? attempts.unreachable() : .timeout }

    private func giveUp(_ id: Int, _ error: any Error) {
        guard let caller = exchange.giveUp(id) else { return }
        caller.resume(throwing: error)
        schedule()
    }

    private func finish(_ endings: [Exchange<Caller>.Ending]) {
        for ending in endings { ending.caller.resume(with: ending.result.mapError { $0 }) }
    }

    // A timer doesn't keep the client, which may be forgotten when nobody waits for it.
    @discardableResult
    private func wake(
        at deadline: NIODeadline,
        _ action: @escaping @Sendable (isolated TokenCacheClient) -> Void
    ) -> Scheduled<Void> {
        eventLoop.scheduleTask(deadline: deadline) { [weak self] in self?.assumeIsolated(action) }
    }

    // MARK: The connections

    private func schedule() {
        guard !isScheduled else { return }
        isScheduled = true
        eventLoop.execute { self.assumeIsolated { $0.proceed() } }
    }

    private func proceed() {
        isScheduled = false
        guard !isClosed else { return }
        for link in links {
            // While the daemon that drains ends, the next one may not be there yet.
            let pauses = exchange.isDraining(link.number)
            exchange.isDispensable(link.number) ? drop(link, pauses: pauses) : send(on: link)
        }
        if exchange.wantsConnection, opening == nil, pause == nil { connect() }
    }

    private func send(on link: Link) {
        guard link.channel.isWritable else { return }
        var lines = link.channel.allocator.buffer(capacity: 0)
        exchange.take(on: link.number, at: .now(), into: &lines)
        if lines.readableBytes > 0 { link.channel.writeAndFlush(lines, promise: nil) }
    }

    private func connect() {
        lastConnection += 1
        let number = lastConnection
        opening = number
        let descriptor: CInt
        do { descriptor = try DaemonConnection.open(path) } catch { return failedToOpen(error, number) }
        ClientBootstrap(group: eventLoop)
            .channelInitializer { [weak self, longestReply] channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = ConnectionHandler(longestReply: longestReply) { event in
                        self?.assumeIsolated { $0.happened(event, on: number) }
                    }
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .withConnectedSocket(descriptor)
            .whenComplete { [weak self] result in
                switch result {
                case .success(let channel):
                    // The client may have gone while its connection was being opened.
                    guard let self else { return channel.close(promise: nil) }
                    assumeIsolated { $0.opened(Link(number: number, channel: channel)) }
                case .failure(let error): self?.assumeIsolated { $0.failedToOpen(error, number) }
                }
            }
    }

    private func opened(_ link: Link) {
        guard opening == link.number else { return link.channel.close(promise: nil) }
        opening = nil
        attempts.connected()
        links.append(link)
        exchange.connected(link.number)
        // It may have ended before it was known to be open.
        link.channel.isActive ? proceed() : lose(link)
    }

    private func failedToOpen(_ error: any Error, _ number: Int) {
        guard opening == number else { return }
        opening = nil
        let pause = attempts.failed(error, at: .now())
        // While others are open, those who wait have them to wait for.
        guard pause != nil || !links.isEmpty else { return finish(exchange.end(attempts.unreachable())) }
        wait(pause ?? Attempts.longPause)
    }

    private func wait(_ time: TimeAmount) {
        pause?.cancel()
        pause = wake(at: .now() + time) {
            $0.pause = nil
            $0.proceed()
        }
    }

    private func happened(_ event: ConnectionHandler.Event, on number: Int) {
        guard let link = links.first(where: { $0.number == number }) else { return }
        switch event {
        case .lines(let lines):
            attempts.answered()
            take(exchange.receive(lines, on: number), from: link)
        case .lineTooLong: take(exchange.receiveNonsense(on: number), from: link)
        case .writable: proceed()
        case .ended: lose(link)
        }
    }

    private func take(_ reading: Exchange<Caller>.Reading, from link: Link) {
        finish(reading.endings)
        reading.isUseful ? proceed() : lose(link)
    }

    /// The connection has ended, or is of no further use.
    private func lose(_ link: Link) {
        drop(link, pauses: true)
        proceed()
    }

    private func drop(_ link: Link, pauses: Bool) {
        if pauses { wait(attempts.disconnected()) }
        links.removeAll { $0.number == link.number }
        exchange.disconnected(link.number)
        link.channel.close(promise: nil)
    }
}
