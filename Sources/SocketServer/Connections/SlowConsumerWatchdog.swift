import NIOCore

/// Closes a connection whose peer reads nothing of its replies, by a ``SlowConsumerDetector``.
final class SlowConsumerWatchdog {
    private var detector = SlowConsumerDetector()
    private var nextCheck: Scheduled<Void>?

    /// Notes bytes that are being handed to the socket, and starts the checks.
    func sending(_ count: Int, over context: ChannelHandlerContext) {
        detector.sending(count)
        if nextCheck == nil { scheduleCheck(context) }
    }

    /// Stops the checks.
    func stop() {
        nextCheck?.cancel()
        nextCheck = nil
    }

    private func scheduleCheck(_ context: ChannelHandlerContext) {
        nextCheck = context.eventLoop.assumeIsolated()
            .scheduleTask(in: TimeAmount(SlowConsumerDetector.checkInterval)) {
                self.nextCheck = nil
                self.check(context)
            }
    }

    private func check(_ context: ChannelHandlerContext) {
        let unsent = (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        switch detector.check(unsent: unsent) {
        case .idle: break
        case .waiting: scheduleCheck(context)
        case .stalled: context.close(promise: nil)
        }
    }
}

@available(*, unavailable)
extension SlowConsumerWatchdog: Sendable {}
