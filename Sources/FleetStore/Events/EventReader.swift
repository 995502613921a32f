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
        /// The name of the key with the number of its events.
        var count: String
    }

    /// The part of a read's answer that is about one tenant.
    struct Entries {
        /// The entries, or nil if there are no more for the moment.
        var found: EngineEntries?
        /// The number of the tenant's events when the read was sent, or nil if there may be more entries behind these.
        var count: Int64?
    }

    /// Functions that are told what is read.
    struct Observer {
        /// The connection can be used.
        var ready: (EventReader) -> Void
        /// The place to read on from, and true if all earlier events are known.
        var position: (TenantID) -> (id: String, isLive: Bool)
        /// Takes a tenant's entries, and returns false if they can't be those of the scripts.
        var entries: (TenantID, Entries) -> Bool
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
        guard result.identity.epoch == epoch else { return end(.connectionLost, "another process has answered") }
        observer?.ready(self)
        read()
    }

    /// Reads the numbers of events, and then the events, so that those which are counted are found.
    private func read() {
        guard let observer, let session else { return }
        let positions = streams.map { observer.position($0.tenant) }
        var counting = EngineCommand("MGET")
        counting.append(contentsOf: streams.map(\.count))
        var counts: [Int64] = []
        session.send(counting.encoded) { result in
            guard case .success(let value) = result else { return }
            counts = value.elements?.map { $0.number ?? 0 } ?? []
        }
        var command = EngineCommand("XREAD", "COUNT")
        command.append(perStream)
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
            self?.answered(value, counts)
        }
    }

    /// The entries that are read of each stream at most.
    private var perStream: Int { max(1, Self.eventsPerRead / max(1, streams.count)) }

    private func answered(_ value: RespValue, _ counts: [Int64]) {
        silence?.cancel()
        if case .error(let text) = value { return end(EngineFault(error: text), text) }
        guard let read = try? EngineEntries.byStream(value) else { return end(.malformed, "no events of a stream") }
        for (index, stream) in streams.enumerated() {
            let found = read[stream.name]
            let isAll = (found?.count ?? 0) < perStream
            let count = isAll && counts.indices.contains(index) ? counts[index] : nil
            guard observer?.entries(stream.tenant, Entries(found: found, count: count)) != false else {
                return end(.malformed, "events or numbers of events that no script writes")
            }
        }
        self.read()
    }
}
