import PrometheusMetrics
import SocketServer
import TokenCache

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The state of the daemon from which its metrics are read.
struct MetricsSnapshot: Sendable {
    /// The state of the cache and of the server.
    let server: ServerSnapshot
    /// The figures of this process.
    let process: ProcessFigures
    /// The number of log lines that were dropped.
    let droppedLogLines: Int
    /// The uids that have series of their own.
    let shownUIDs: [PeerUID]
    /// The wall-clock time.
    let wall: Date

    var cache: CacheSnapshot { server.cache }
}
