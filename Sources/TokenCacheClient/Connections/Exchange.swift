import DequeModule
import NIOCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Distributes calls over connections and assigns the daemon's replies to them.
///
/// It has no socket, clock or task.
///
/// A call is sent on the oldest connection that has capacity. If all are full, another one is needed, so that a cached
/// token never waits behind tokens that have to be minted. Every operation may be repeated, so a call that was under way
/// when its connection ended is sent again, before the calls that wait.
struct Exchange<Caller> {
    /// The most connections.
    ///
    /// The daemon lets 65,536 requests wait in all, and these hold more.
    static var maxConnections: Int { 66 }

    /// A request that somebody waits for.
    struct Call {
        let line: RequestLine
        let deadline: NIODeadline
        let caller: Caller
    }

    /// A call that has ended, and the result for its caller.
    struct Completion {
        let caller: Caller
        let result: Result<Data, TokenCacheError>
    }

    /// A call that was given up.
    struct Abandoned {
        let caller: Caller
        /// The state of its request: sent or not.
        let requestState: TokenCacheError.RequestState
    }

    /// The effect of lines from the daemon.
    struct Effect {
        var completions: [Completion] = []
        /// True if the connection can be used further.
        var isConnectionUsable = true
    }

    private struct Entry {
        let call: Call
        /// The connection on which the call is under way, or nil if it waits.
        var connection: Int?
        /// Sent if the call was ever sent, on the present connection or on an earlier one.
        var requestState = TokenCacheError.RequestState.notSent

        mutating func sent(on connection: Int) {
            self.connection = connection
            requestState = .sent
        }
    }

    /// All calls that somebody waits for, by id.
    private var calls: [Int: Entry] = [:]
    /// The ids of the calls that wait, in the order in which they are sent.
    ///
    /// A call that was given up stays here until its turn comes, or until there are too many of them.
    private var queue: Deque<Int> = []
    /// The ids of calls that were under way and wait again, in no order.
    ///
    /// They join the queue before it is next read.
    private var retries: [Int] = []
    /// The number of calls in both that somebody waits for.
    private var waiting = 0
    /// The oldest connection is the first.
    private var connections: [PendingRequests] = []

    /// True if calls wait that need another connection.
    ///
    /// A daemon that is shutting down accepts none.
    var needsConnection: Bool {
        waiting > 0 && connections.count < Self.maxConnections
            && connections.allSatisfy { $0.isFull && !$0.isDraining }
    }

    /// True if the call is sent and not answered.
    func isUnderWay(_ id: Int) -> Bool { calls[id]?.connection != nil }

    /// True if the daemon has said on that connection that it is shutting down.
    func isDraining(_ connection: Int) -> Bool { index(of: connection).map { connections[$0].isDraining } ?? false }

    /// True if nobody waits for a reply on the connection and it should be closed.
    ///
    /// It should be closed if it is full of calls that were given up, because the daemon cancels them then, if it is
    /// draining, or if an older connection has capacity.
    func isDispensable(_ connection: Int) -> Bool {
        guard let index = index(of: connection), !connections[index].isAwaited else { return false }
        return !connections[index].hasCapacity || connections[..<index].contains { $0.hasCapacity }
    }

    /// Adds a call, whose id is higher than all before.
    mutating func add(_ call: Call, id: Int) {
        calls[id] = Entry(call: call)
        queue.append(id)
        waiting += 1
    }

    /// Removes a call, or returns nil if it has ended already.
    mutating func giveUp(_ id: Int) -> Abandoned? {
        guard let entry = calls.removeValue(forKey: id) else { return nil }
        if let connection = entry.connection {
            if let index = index(of: connection) { connections[index].giveUp(id) }
        } else {
            waiting -= 1
            // The queue is cleaned rarely, so that giving up one call is cheap.
            if queue.count > 2 * waiting + PendingRequests.limit { queue.removeAll { calls[$0] == nil } }
        }
        return Abandoned(caller: entry.call.caller, requestState: entry.requestState)
    }

    /// Adds a connection, whose number no other has had.
    mutating func connected(_ connection: Int) { connections.append(PendingRequests(connection: connection)) }

    /// Removes a connection that has ended.
    ///
    /// The calls that were under way on it wait again.
    mutating func disconnected(_ connection: Int) {
        guard let index = index(of: connection) else { return }
        var requests = connections.remove(at: index)
        for id in requests.removeAll() { retry(id) }
    }

    /// Writes the lines that may be sent on that connection now.
    mutating func send(on connection: Int, at now: NIODeadline, into buffer: inout ByteBuffer) {
        guard let index = index(of: connection), connections[index].hasCapacity else { return }
        mergeRetries()
        while connections[index].hasCapacity, let id = queue.popFirst() {
            guard let call = calls[id]?.call else { continue }
            waiting -= 1
            calls[id]?.sent(on: connection)
            connections[index].add(id)
            call.line.write(id: id, left: call.deadline - now, into: &buffer)
        }
    }

    /// Takes lines that the daemon has sent on that connection.
    mutating func receive(_ lines: [ByteBuffer], on connection: Int) -> Effect {
        var effect = Effect()
        guard let index = index(of: connection) else { return effect }
        for line in lines where effect.isConnectionUsable { receive(line, index, &effect) }
        return effect
    }

    /// Takes bytes that can't be a reply.
    mutating func receiveMalformed(on connection: Int) -> Effect {
        var effect = Effect()
        if let index = index(of: connection) { fail(index, .badReply, &effect) }
        return effect
    }

    /// Ends all calls, and removes the connections.
    mutating func end(_ error: TokenCacheError) -> [Completion] {
        defer { self = Exchange() }
        return calls.sorted { $0.key < $1.key }.map { _, entry in
            Completion(caller: entry.call.caller, result: .failure(error.with(entry.requestState)))
        }
    }

    private func index(of connection: Int) -> Int? { connections.firstIndex { $0.connection == connection } }

    private mutating func receive(_ line: ByteBuffer, _ index: Int, _ effect: inout Effect) {
        guard let reply = ReplyLine(line), reply.hasID || reply.error != nil else {
            return fail(index, .badReply, &effect)
        }
        let isShuttingDown = reply.error?.code == .shuttingDown
        if isShuttingDown { connections[index].isDraining = true }
        guard reply.hasID else {
            // All requests of this client have an id, so the error is about the connection itself.
            if let error = reply.error, !isShuttingDown { fail(index, error, &effect) }
            return
        }
        // A call that isn't awaited here was never sent on this connection, or was given up.
        guard let id = reply.id, connections[index].remove(id) else { return }
        if isShuttingDown { return retry(id) }
        complete(id, reply.error.map { .failure($0) } ?? .success(reply.data), &effect.completions)
    }

    private mutating func fail(_ index: Int, _ error: TokenCacheError, _ effect: inout Effect) {
        for id in connections[index].removeAll() { complete(id, .failure(error.with(.sent)), &effect.completions) }
        effect.isConnectionUsable = false
    }

    private mutating func complete(
        _ id: Int,
        _ result: Result<Data, TokenCacheError>,
        _ completions: inout [Completion]
    ) {
        guard let entry = calls.removeValue(forKey: id) else { return }
        completions.append(Completion(caller: entry.call.caller, result: result))
    }

    private mutating func retry(_ id: Int) {
        calls[id]?.connection = nil
        waiting += 1
        retries.append(id)
    }

    /// Puts the calls that are sent again at their former positions in the queue.
    private mutating func mergeRetries() {
        guard !retries.isEmpty else { return }
        queue = Deque((retries + queue).sorted())
        retries = []
    }
}
