import HTTPTypes
import NIOCore
import NIOExtras
import NIOHTTPTypes

/// Bounds what a connection may send and how long it lasts, and ends it after one response.
final class ConnectionLimits: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// The most bytes of a request.
    ///
    /// Those of Prometheus and of a kubelet have a few hundred.
    static let maxRequestBytes = 16_384
    /// The time that a client has to close after the response, and to read the rest of it when the server stops.
    static let grace = TimeAmount.seconds(1)

    private let limits: MetricsServer.Limits
    private var phase = ConnectionPhase()
    private var timeout: Scheduled<Void>?

    /// Creates the bounds of a connection.
    ///
    /// - Parameter limits: The times in which it has to send a request, and to read the response.
    init(_ limits: MetricsServer.Limits) { self.limits = limits }

    func handlerAdded(context: ChannelHandlerContext) {
        let limit = InboundLimit(Self.maxRequestBytes)
        // It can fail only in a channel that is closed already.
        try? context.pipeline.syncOperations.addHandler(limit, position: .first)
        schedule(in: limits.request, context)
    }

    func handlerRemoved(context: ChannelHandlerContext) { timeout?.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        timeout?.cancel()
        context.fireChannelInactive()
    }

    private func schedule(in time: TimeAmount, _ context: ChannelHandlerContext) {
        timeout?.cancel()
        timeout = context.eventLoop.assumeIsolated().scheduleTask(in: time) {
            self.perform(self.phase.expired(), context)
        }
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let action =
            switch unwrapInboundIn(data) {
            case .head(let head): phase.receiveHead(hasBody: Self.hasBody(head))
            case .body: phase.receiveBody()
            case .end: receiveEnd(context)
            }
        if action == .pass { context.fireChannelRead(data) } else { perform(action, context) }
    }

    private func receiveEnd(_ context: ChannelHandlerContext) -> ConnectionPhase.Action {
        let action = phase.receiveEnd()
        if action == .pass { schedule(in: limits.page + limits.deadline, context) }
        return action
    }

    private static func hasBody(_ head: HTTPRequest) -> Bool {
        let length = head.headerFields[.contentLength]
        return head.headerFields[.transferEncoding] != nil || length != nil && length != "0"
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        perform(phase.fail(error is InboundLimit.Exceeded ? .tooLarge : .malformed), context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed:
            perform(phase.inputEnded(), context)
            context.fireUserInboundEventTriggered(event)
        case is ChannelShouldQuiesceEvent:
            let action = phase.serverStops()
            if action == .pass { schedule(in: Self.grace, context) } else { perform(action, context) }
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    // MARK: Responses

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .end = unwrapOutboundIn(data) else { return context.write(data, promise: promise) }
        let written = promise ?? context.eventLoop.makePromise()
        written.futureResult.assumeIsolated().whenComplete { _ in self.perform(self.phase.responseEnded(), context) }
        context.writeAndFlush(data, promise: written)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        // This handler ends the output, after what was written to it.
        guard mode == .output else { return context.close(mode: mode, promise: promise) }
        promise?.succeed()
    }

    private func perform(_ action: ConnectionPhase.Action, _ context: ChannelHandlerContext) {
        switch action {
        case .pass, .drop: break
        case .refuse(let problem): refuse(problem, context)
        case .close: context.close(promise: nil)
        case .linger:
            context.close(mode: .output, promise: nil)
            schedule(in: Self.grace, context)
        }
    }

    private func refuse(_ problem: Problem, _ context: ChannelHandlerContext) {
        // For the client that sends slowly or reads nothing.
        schedule(in: Self.grace, context)
        let page = Page(problem)
        context.write(wrapOutboundOut(.head(page.head)), promise: nil)
        context.write(wrapOutboundOut(.body(page.body)), promise: nil)
        write(context: context, data: wrapOutboundOut(.end(nil)), promise: nil)
    }
}

@available(*, unavailable)
extension ConnectionLimits: Sendable {}
