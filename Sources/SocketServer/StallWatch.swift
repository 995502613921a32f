import NIOCore

/// Closes a connection whose peer takes not one byte of what waits for it.
final class StallWatch {
    private var meter = StallMeter()
    private var looking: Scheduled<Void>?

    /// Notes bytes that are being handed to the socket, and begins to look.
    func sending(_ count: Int, over context: ChannelHandlerContext) {
        meter.sending(count)
        if looking == nil { look(context) }
    }

    /// Looks no more.
    func end() {
        looking?.cancel()
        looking = nil
    }

    private func look(_ context: ChannelHandlerContext) {
        looking = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(StallMeter.interval)) {
            self.looking = nil
            let waiting = (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
            switch self.meter.look(waiting: waiting) {
            case .idle: break
            case .waiting: self.look(context)
            case .stalled: context.close(promise: nil)
            }
        }
    }
}

@available(*, unavailable)
extension StallWatch: Sendable {}
