import FleetProtocol
import NIOCore
import TokenCache

/// The connection that waits for the events of some tenants of a node.
///
/// It belongs to its event loop.
final class EventReader {
    /// The time for which the engine keeps a read that finds nothing: it bounds the time in which a connection that is
    /// dead without a sign is found out.
    static let block = Duration.seconds(2)
    /// The events of one read, of all streams together, and the most streams.
    ///
    /// An event has the scopes of a request, which is a line of 64 KiB at most. So the answer is shorter than the parser's limit.
    static let eventsPerRead = 14

    /// A tenant's stream.
    struct Stream {
        var tenant: TenantID
        /// The name of its key.
        var name: String
    }

    /// Functions that are told what is read.
    struct Observer {
        /// The connection can be used.
        var ready: (EventReader) -> Void
        /// The place to read on from, and true if all earlier events are known.
        var position: (TenantID) -> (id: String, isLive: Bool)
        /// A tenant's entries, or nil if there are no more for the moment.
        var entries: (TenantID, EngineEntries?) -> Void
        /// The connection couldn't be opened, or is lost.
        var ended: (EventReader, EngineFault, String) -> Void
    }

    let streams: [Stream]
    private let epoch: String
    private let dialer: EngineDialer
    private var observer: Observer?
    private var session: EngineSession?
    private var silence: Scheduled<Void>?

    /// Creates a reader.
    ///
    /// - Parameter epoch: The engine's process. Another one is not read.
    init(_ streams: [Stream], at address: EngineAddress, epoch: String, _ dialer: EngineDialer, _ observer: Observer) {
        (self.streams, self.epoch, self.dialer, self.observer) = (streams, epoch, dialer, observer)
        session = EngineSession(
            address,
            dialer,
            probe: nil,
            EngineSession.Observer(
                ready: { [weak self] _, result in self?.opened(result) },
                ended: { [weak self] _, fault, detail in self?.end(fault, detail) }
            )
        )
    }

    /// Opens the connection.
    func open() { session?.open() }

    /// Closes the connection.
    ///
    /// Nothing is told any more.
    func close() {
        observer = nil
        silence?.cancel()
        session?.close()
        session = nil
    }

    private func end(_ fault: EngineFault, _ detail: String) {
        let observer = observer
        close()
        observer?.ended(self, fault, detail)
    }

    private func opened(_ result: EngineHandshake.Result) {
        guard result.epoch == epoch else { return end(.connectionLost, "another process has answered") }
        observer?.ready(self)
        read()
    }

    private func read() {
        guard let observer, let session else { return }
        let positions = streams.map { observer.position($0.tenant) }
        var command = EngineCommand("XREAD", "COUNT")
        command.append(max(1, Self.eventsPerRead / max(1, streams.count)))
        let waits = positions.allSatisfy(\.isLive)
        if waits {
            command.append("BLOCK")
            command.append(Self.block.milliseconds)
        }
        command.append("STREAMS")
        command.append(contentsOf: streams.map(\.name))
        command.append(contentsOf: positions.map(\.id))
        silence = dialer.loop.assumeIsolated().scheduleTask(in: TimeAmount(Self.block + dialer.time)) {
            self.end(.timeout, "no answer to a read of events")
        }
        session.send(command.encoded) { [weak self] result in
            guard case .success(let value) = result else { return }
            self?.answered(value)
        }
    }

    private func answered(_ value: RespValue) {
        silence?.cancel()
        if case .error(let text) = value { return end(EngineFault(error: text), text) }
        guard let read = try? EngineEntries.byStream(value) else { return end(.malformed, "no events of a stream") }
        for stream in streams { observer?.entries(stream.tenant, read[stream.name]) }
        self.read()
    }
}
