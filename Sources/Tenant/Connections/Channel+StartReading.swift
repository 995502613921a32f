import NIOCore

extension Channel {
    /// Adds handlers, and begins to read when they are there, as bytes that arrived before would be lost.
    ///
    /// - Parameters:
    ///   - promise: Fails if the handlers can't be added because the channel is closed by then. Otherwise the handlers
    ///     complete it.
    ///   - fault: The error with which the promise fails.
    func startReading(
        completing promise: EventLoopPromise<Void>,
        orFailingWith fault: CallFault,
        _ add: @escaping @Sendable (ChannelPipeline.SynchronousOperations) throws -> Void
    ) {
        eventLoop.execute {
            do {
                try add(self.pipeline.syncOperations)
                _ = self.setOption(.autoRead, value: true)
            } catch {
                promise.fail(fault)
            }
        }
    }
}
