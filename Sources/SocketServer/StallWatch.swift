import NIOCore

/// Closes a connection whose peer takes not one byte of what waits for it.
///
/// It looks from time to time whether fewer bytes wait than were handed over since, and counts how long none went.
final class StallWatch {
    /// How long a peer may take nothing: longer than any pause of a living process, short enough to free its memory.
    static let patience = TimeAmount.seconds(30)
    /// How often it looks; a stalled peer is closed at most this much late.
    static let interval = TimeAmount.seconds(5)

    private var handedOver = 0
    private var taken = 0
    private var stalledFor = TimeAmount.zero
    private var looking: Scheduled<Void>?

    /// Notes bytes that are being handed to the socket, and begins to look.
    func sending(_ count: Int, over context: ChannelHandlerContext) {
        handedOver += count
        guard looking == nil else { return }
        look(context)
    }

    /// Looks no more.
    func end() {
        looking?.cancel()
        looking = nil
    }

    private func look(_ context: ChannelHandlerContext) {
        looking = context.eventLoop.assumeIsolated().scheduleTask(in: Self.interval) { self.check(context) }
    }

    private func check(_ context: ChannelHandlerContext) {
        looking = nil
        let waiting = (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        guard waiting > 0 else {
            stalledFor = .zero
            taken = handedOver
            return
        }
        let takenByNow = handedOver - waiting
        stalledFor = takenByNow > taken ? .zero : stalledFor + Self.interval
        taken = takenByNow
        guard stalledFor < Self.patience else { return context.close(promise: nil) }
        look(context)
    }
}

@available(*, unavailable)
extension StallWatch: Sendable {}
