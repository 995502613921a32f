import NIOCore

/// Stops accepting for a moment where it fails, as it does when the process is out of descriptors.
///
/// The kernel goes on saying that somebody waits, so without a pause the loop would do nothing but ask. NIO's own
/// `AcceptBackoffHandler` only delays reads, and a failed accept leaves the last read pending: none follows that could be
/// delayed, and the listener stays registered. Turning `autoRead` off unregisters it.
final class AcceptPause: ChannelInboundHandler {
    typealias InboundIn = any Channel

    /// Long against the cost of one attempt, short against what a peer in the queue notices.
    private static let length = TimeAmount.milliseconds(100)

    private var pause: Scheduled<Void>?

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard pause == nil else { return }
        try? context.channel.syncOptions?.setOption(.autoRead, value: false)
        pause = context.eventLoop.assumeIsolated().scheduleTask(in: Self.length) {
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
extension AcceptPause: Sendable {}
