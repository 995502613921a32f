/// The shape of a load.
package struct LoadSettings: Sendable, Equatable {
    /// The path of the applications' socket.
    package var path: String
    package var connections: Int
    /// The requests in flight on each connection.
    package var pipeline: Int
    /// The time that is measured.
    package var time: Duration
    /// The time before the measurement, in which processors are woken.
    package var warmUp: Duration
    /// The threads of the generator, each with a share of the connections.
    package var threads: Int

    /// The longest warm-up, after which nothing gets faster.
    private static let longestWarmUp = Duration.milliseconds(500)

    /// Creates settings with a warm-up of a tenth of the time, or half a second if that is less.
    package init(path: String, connections: Int, pipeline: Int, time: Duration, threads: Int) {
        self.path = path
        self.connections = connections
        self.pipeline = pipeline
        self.time = time
        self.threads = threads
        warmUp = min(time / 10, Self.longestWarmUp)
    }
}
