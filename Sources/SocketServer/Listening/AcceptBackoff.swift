import NIOCore

/// Stops accepting connections for a moment after accepting one has failed, as it does when the process has no
/// descriptors left.
///
/// The kernel goes on reporting the connection that waits, so without a pause the loop would do nothing but try. NIO's
/// own `AcceptBackoffHandler` only delays reads. A failed accept leaves the last read pending, no other read follows
/// that could be delayed, and the listener stays registered. Turning `autoRead` off unregisters it.
final class AcceptBackoff: ChannelInboundHandler {
    typealias InboundIn = any Channel

    /// Long compared with the cost of one attempt, short compared with what a peer in the queue notices.
    private static let delay = TimeAmount.milliseconds(100)

    private var pause: Scheduled<Void>?
    private let onFault: (any Error) -> Void

    /// Creates a handler.
    ///
    /// - Parameter onFault: Called with each fault.
    init(onFault: @escaping (any Error) -> Void = { _ in }) { self.onFault = onFault }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        onFault(error)
        guard pause == nil else { return }
        try? context.channel.syncOptions?.setOption(.autoRead, value: false)
        pause = context.eventLoop.assumeIsolated().scheduleTask(in: Self.delay) {
            self.pause = nil
            try? context.channel.syncOptions?.setOption(.autoRead, value: true)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        pause?.cancel()
        context.fireChannelInactive()
    }
}

@available(*, unavailable)
extension AcceptBackoff: Sendable {}
