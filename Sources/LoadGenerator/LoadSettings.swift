/// The shape of a load.
package struct LoadSettings: Sendable, Equatable {
    /// The path of the applications' socket.
    package var path: String
    package var connections: Int
    /// The requests in flight on each connection.
    package var pipeline: Int
    /// The time that is measured.
    package var time: Duration
    /// The threads of the generator, each with a share of the connections.
    package var threads: Int

    /// Creates settings.
    package init(path: String, connections: Int, pipeline: Int, time: Duration, threads: Int) {
        self.path = path
        self.connections = connections
        self.pipeline = pipeline
        self.time = time
        self.threads = threads
    }

    /// The time before the measurement, in which processors are woken: a tenth of it, but half a second at most.
    var warmUp: Duration { min(time / 10, .milliseconds(500)) }
}
