import NIOCore
import NIOPosix

#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// A tokencached on this machine, over one connection that all callers of a process share.
///
/// Requests go side by side on the connection and are told apart by number. It is made when a call needs it, and made
/// again after it ended: what was under way is asked again. It lives on its connection's event loop. When it is no longer
/// needed, ``close()`` it.
public actor TokenCacheClient {
    /// How much longer than the caller's time-out a reply to what was sent is waited for: the daemon keeps that time-out
    /// itself, and its reply says more than ours could.
    private static let grace = TimeAmount.seconds(1)
    /// Sixteen times the longest token that the daemon hands out.
    private static let longestReply = 1_024 * 1_024

    private typealias Caller = CheckedContinuation<Data, any Error>

    private nonisolated let eventLoop: any EventLoop
    private let path: String
    private let waitsForDaemon: Bool
    private let longestReply: Int

    private var exchange = Exchange<Caller>()
    private var attempts: Attempts
    private var lastID = 0
    private var isClosed = false
    /// Whether what waits is sent at the end of this turn of the loop, in one write.
    private var isScheduled = false
    private var connection = Connection.absent
    /// Counts the connections: what one that was given up still reports concerns nobody.
    private var lastConnection = 0

    private enum Connection {
        /// There is none, and nobody needs one.
        case absent
        /// The next attempt comes when the pause ends.
        case pausing(Scheduled<Void>)
        case opening
        case open(any Channel)

        var isOpen: Bool { if case .open = self { true } else { false } }
        var isOpening: Bool { if case .opening = self { true } else { false } }
    }

    /// The connection's event loop.
    public nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe eventLoop.executor.asUnownedSerialExecutor()
    }

    /// Makes a client, which connects when it is first asked.
    ///
    /// - Parameter path: The socket's; ``SocketPath/requests`` where nothing is said.
    public init(path: String = SocketPath.requests) {
        self.init(path: path, waitsForDaemon: true, longestReply: Self.longestReply)
    }

    /// Makes a client.
    ///
    /// - Parameters:
    ///   - path: The socket's.
    ///   - waitsForDaemon: Whether a call waits for a daemon that isn't there, as long as its time lasts.
    ///   - longestReply: In bytes.
    package init(path: String, waitsForDaemon: Bool, longestReply: Int) {
        eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let path = SocketPath.plain(path)
        self.path = path
        self.waitsForDaemon = waitsForDaemon
        self.longestReply = longestReply
        attempts = Attempts(path: path)
    }

    deinit {
        if case .open(let channel) = connection { channel.close(promise: nil) }
    }

    // MARK: Calls

    /// Any operation; the reply is the daemon's line as it came.
    public func call(_ request: ClientRequest) async throws -> Data {
        guard !isClosed else { throw TokenCacheError.closed }
        let line = try RequestLine(request)
        lastID += 1
        let id = lastID
        let deadline = NIODeadline.now() + line.timeout
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

    /// Ends the connection; calls that wait fail, and later ones too.
    public func close() async {
        isClosed = true
        finish(exchange.end(.closed))
        let last = connection
        connection = .absent
        lastConnection += 1
        switch last {
        case .open(let channel): try? await channel.close()
        case .pausing(let pause): pause.cancel()
        case .opening, .absent: break
        }
    }

    private func timePassed(_ id: Int) {
        guard exchange.isUnderWay(id) || connection.isOpening else { return giveUp(id, late()) }
        wake(at: .now() + Self.grace) { $0.giveUp(id, $0.late()) }
    }

    private func late() -> TokenCacheError { connection.isOpen ? .timeout : attempts.unreachable() }

    private func giveUp(_ id: Int, _ error: any Error) { exchange.giveUp(id)?.resume(throwing: error) }

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

    // MARK: The connection

    private func schedule() {
        guard !isScheduled else { return }
        isScheduled = true
        eventLoop.execute { self.assumeIsolated { $0.proceed() } }
    }

    private func proceed() {
        isScheduled = false
        guard !isClosed, exchange.hasQueue else { return }
        switch connection {
        case .absent: connect()
        case .pausing, .opening: break
        case .open(let channel): send(on: channel)
        }
    }

    private func send(on channel: any Channel) {
        guard channel.isWritable else { return }
        var lines = channel.allocator.buffer(capacity: 0)
        exchange.take(at: .now(), into: &lines)
        if lines.readableBytes > 0 { channel.writeAndFlush(lines, promise: nil) }
    }

    private func connect() {
        connection = .opening
        lastConnection += 1
        let number = lastConnection
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
                    assumeIsolated { $0.opened(channel, number) }
                case .failure(let error): self?.assumeIsolated { $0.failedToOpen(error, number) }
                }
            }
    }

    private func opened(_ channel: any Channel, _ number: Int) {
        guard number == lastConnection else { return channel.close(promise: nil) }
        connection = .open(channel)
        // It may have ended before it was known to be open.
        channel.isActive ? proceed() : ended()
    }

    private func failedToOpen(_ error: any Error, _ number: Int) {
        guard number == lastConnection else { return }
        guard let pause = attempts.failed(error), waitsForDaemon else {
            connection = .absent
            return finish(exchange.end(attempts.unreachable()))
        }
        reconnect(after: pause)
    }

    private func reconnect(after pause: TimeAmount) {
        connection = .pausing(
            eventLoop.scheduleTask(in: pause) { [weak self] in
                self?.assumeIsolated {
                    $0.connection = .absent
                    $0.proceed()
                }
            }
        )
    }

    private func happened(_ event: ConnectionHandler.Event, on number: Int) {
        guard number == lastConnection, case .open(let channel) = connection else { return }
        switch event {
        case .lines(let lines):
            attempts.answered()
            let reading = exchange.receive(lines)
            finish(reading.endings)
            reading.isUseful ? proceed() : abandon(channel)
        case .lineTooLong:
            finish(exchange.receiveNonsense())
            abandon(channel)
        case .writable: proceed()
        case .ended: ended()
        }
    }

    private func abandon(_ channel: any Channel) {
        ended()
        channel.close(promise: nil)
    }

    /// The connection is of no use any more.
    private func ended() {
        lastConnection += 1
        exchange.disconnected()
        reconnect(after: attempts.disconnected())
    }
}
