import Glibc
import NIOCore
import NIOHTTP1
import NIOHTTPCompression

/// A connection to a tenant, TLS included, on which calls are made one after another.
final class TenantConnection: Sendable {
    /// The time at which it was made.
    let opened: ContinuousClock.Instant
    /// The pool's generation in which it was made.
    let generation: Int
    private let channel: any Channel
    private let calls: NIOLoopBound<CallHandler>

    private init(
        _ channel: any Channel,
        _ calls: NIOLoopBound<CallHandler>,
        opened: ContinuousClock.Instant,
        generation: Int
    ) {
        self.channel = channel
        self.calls = calls
        self.opened = opened
        self.generation = generation
    }

    /// Has a channel speak HTTP.
    static func open(
        _ channel: any Channel,
        opened: ContinuousClock.Instant,
        generation: Int
    ) async throws -> TenantConnection {
        let calls = try await channel.eventLoop.submit {
            let pipeline = channel.pipeline.syncOperations
            let handler = CallHandler()
            try pipeline.addHandlers([
                ReplyWiper(), HTTPRequestEncoder(),
                ByteToMessageHandler(HTTPResponseDecoder(leftOverBytesStrategy: .dropBytes)),
                NIOHTTPResponseDecompressor(limit: .size(CallHandler.largestReply)), handler,
            ])
            // Where it is closed already, the handler says so when it is called.
            _ = channel.setOption(.autoRead, value: true)
            return NIOLoopBound(handler, eventLoop: channel.eventLoop)
        }.get()
        return TenantConnection(channel, calls, opened: opened, generation: generation)
    }

    /// Makes one call.
    func call(_ head: HTTPRequestHead, _ body: ByteBuffer) async throws(CallFailure) -> Answer {
        let promise = channel.eventLoop.makePromise(of: Answer.self)
        do {
            return try await withTaskCancellationHandler {
                channel.eventLoop.execute { self.calls.value.call(head, body, promise) }
                return try await promise.futureResult.get()
            } onCancel: {
                channel.eventLoop.execute { self.calls.value.abandon(CallFault(.shutDown)) }
            }
        } catch {
            throw error as? CallFailure ?? CallFailure(fault: .none(.answering(error)), isUnanswered: false)
        }
    }

    /// Whether the other side has kept it open, as far as is known here.
    var isOpen: Bool { channel.isActive }

    /// Bounds how long the other side may leave what is sent without an acknowledgement.
    ///
    /// A connection that something between has forgotten swallows what is sent: the system would try for minutes.
    func limitSilence(to limit: Duration) {
        let milliseconds = Int(limit / .milliseconds(1))
        channel.setOption(.tcpOption(NIOBSDSocket.Option(rawValue: TCP_USER_TIMEOUT)), value: milliseconds)
            .whenComplete { _ in }
    }

    /// Runs something after a while, unless it is cancelled.
    func schedule(in time: Duration, _ task: @escaping @Sendable () -> Void) -> Scheduled<Void> {
        channel.eventLoop.scheduleTask(in: TimeAmount(time), task)
    }

    /// Calls back when it is closed, whoever closed it.
    func onClose(_ task: @escaping @Sendable () -> Void) { channel.closeFuture.whenComplete { _ in task() } }

    /// Closes it.
    func close() { channel.close(promise: nil) }
}
