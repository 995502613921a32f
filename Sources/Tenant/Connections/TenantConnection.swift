import Glibc
import NIOCore
import NIOHTTP1
import NIOHTTPCompression

/// A connection to a tenant, TLS included, on which calls are made one after another.
final class TenantConnection: Sendable {
    /// The time at which it was opened.
    let opened: ContinuousClock.Instant
    /// The pool's generation in which it was opened.
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

    /// Adds the handlers for HTTP to a channel.
    static func open(
        _ channel: any Channel,
        opened: ContinuousClock.Instant,
        generation: Int
    ) async throws -> TenantConnection {
        let calls = try await channel.eventLoop.submit {
            let pipeline = channel.pipeline.syncOperations
            let encoder = RequestEncoder()
            let handler = CallHandler(encoder)
            try pipeline.addHandlers([
                ReplyWiper(), encoder,
                ByteToMessageHandler(HTTPResponseDecoder(leftOverBytesStrategy: .dropBytes)),
                NIOHTTPResponseDecompressor(limit: .size(CallHandler.largestReply)), handler,
            ])
            // If the channel is closed already, the handler fails the first call.
            _ = channel.setOption(.autoRead, value: true)
            return NIOLoopBound(handler, eventLoop: channel.eventLoop)
        }.get()
        return TenantConnection(channel, calls, opened: opened, generation: generation)
    }

    /// Makes one call, and ends it at the deadline or when the task is cancelled.
    func call(
        _ head: HTTPRequestHead,
        _ request: TenantRequest,
        until deadline: ContinuousClock.Instant
    ) async throws(AnswerError) -> Answer {
        let promise = channel.eventLoop.makePromise(of: Answer.self)
        do {
            return try await withTaskCancellationHandler {
                channel.eventLoop.execute { self.calls.value.call(head, request, until: deadline, promise) }
                return try await promise.futureResult.get()
            } onCancel: {
                channel.eventLoop.execute { self.calls.value.abandon(promise, CallFault(.shutDown)) }
            }
        } catch {
            throw error as? AnswerError ?? AnswerError(reason: .incomplete(.answering(error)), isUnanswered: false)
        }
    }

    /// True if the connection is open, as far as is known here.
    var isOpen: Bool { channel.isActive }

    /// Limits the time for which the other side may leave data unacknowledged.
    ///
    /// If something between has dropped the connection's state, the system would send the data again for minutes.
    func limitSilence(to limit: Duration) {
        let milliseconds = Int(limit / .milliseconds(1))
        channel.setOption(.tcpOption(NIOBSDSocket.Option(rawValue: TCP_USER_TIMEOUT)), value: milliseconds)
            .whenComplete { _ in }
    }

    /// Runs a task after a time, unless it is cancelled.
    func schedule(in time: Duration, _ task: @escaping @Sendable () -> Void) -> Scheduled<Void> {
        channel.eventLoop.scheduleTask(in: TimeAmount(time), task)
    }

    /// Runs a task when the connection is closed, by either side.
    func onClose(_ task: @escaping @Sendable () -> Void) { channel.closeFuture.whenComplete { _ in task() } }

    /// Closes the connection, without waiting for its end.
    func close() { channel.close(promise: nil) }
}
