import Dispatch
import OperatorReplies
package import PrometheusMetrics
package import SocketServer
import Synchronization
package import TokenProtocol

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Renders the metrics for all who ask for them, off the event loops.
///
/// Those who ask while a rendering is under way share the next one, so that each gets a text that is no older than its
/// request. ``MetricsService`` makes the renderings.
package final class MetricsExporter: Sendable {
    /// The limit of requests that wait for one rendering.
    ///
    /// Each gets a copy of the text, which has megabytes if there are a thousand tenants.
    package static let maxWaiting = 16

    /// The reader of a rendering.
    enum Reader: Sendable {
        case waiter(Waiter)
        case task(CheckedContinuation<String, Never>)
    }

    private struct State {
        var readers: [Reader] = []
        var waiters = 0
        var shownUIDs = ShownUIDs()
        var hasEnded = false
    }

    /// The registry of the instruments.
    package let registry = MetricsRegistry(DaemonMetric.all.filter { $0.read == nil }.map(\.family))
    /// An element whenever someone asks.
    let requests: AsyncStream<Void>
    private let asking: AsyncStream<Void>.Continuation
    private let state = Mutex(State())
    /// A queue of its own, because reading figures of the process may block.
    private let queue = DispatchQueue(label: "tokencached.metrics")

    /// Creates an exporter, whose instruments count from now on.
    package init() { (requests, asking) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    // MARK: Readers

    /// Returns the metrics in Prometheus's text format, or no text at the end of the daemon.
    package func render() async -> String {
        await withCheckedContinuation { continuation in
            if !add(.task(continuation)) { continuation.resume(returning: "") }
        }
    }

    /// Renders the metrics for a request that waits, or returns false if too many wait already.
    package func ask(_ waiter: Waiter) -> Bool { add(.waiter(waiter)) }

    private func add(_ reader: Reader) -> Bool {
        let isAdded = state.withLock { state in
            guard !state.hasEnded else { return false }
            if case .waiter = reader {
                guard state.waiters < Self.maxWaiting else { return false }
                state.waiters += 1
            }
            state.readers.append(reader)
            return true
        }
        if isAdded { asking.yield() }
        return isAdded
    }

    /// Takes all readers, for the rendering that begins now.
    func takeReaders() -> [Reader] {
        state.withLock { state in
            state.waiters = 0
            return exchange(&state.readers, with: [])
        }
    }

    /// Accepts no more readers.
    package func end() {
        state.withLock { $0.hasEnded = true }
        asking.finish()
    }

    // MARK: Rendering

    /// Renders a snapshot.
    ///
    /// - Parameter isEncoded: True if the text is encoded as a reply, too.
    func text(_ server: ServerSnapshot?, droppedLogLines: Int, isEncoded: Bool) async -> (String, MetricsReply?) {
        await withCheckedContinuation { continuation in
            queue.async { [self] in
                let text = text(server, droppedLogLines: droppedLogLines)
                let reply = isEncoded ? MetricsReply(contentType: PrometheusText.contentType, text: text) : nil
                continuation.resume(returning: (text, reply))
            }
        }
    }

    /// Renders a snapshot, or the metrics without their series if there is none.
    package func text(_ server: ServerSnapshot?, droppedLogLines: Int) -> String {
        var collection = MetricsCollection()
        registry.collect(into: &collection)
        let snapshot = server.map { server in
            MetricsSnapshot(
                server: server,
                process: .read(),
                droppedLogLines: droppedLogLines,
                shownUIDs: state.withLock { state in
                    state.shownUIDs.update(server.stats.uids)
                    return state.shownUIDs.uids
                },
                wall: Date()
            )
        }
        for metric in DaemonMetric.all {
            guard let read = metric.read else { continue }
            collection.add(metric.family, snapshot.map(read) ?? [])
        }
        return collection.text
    }
}
