import DequeModule
import NIOCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Which calls wait, which are under way, and what the daemon's lines mean for them; no socket, clock or task.
///
/// Every operation of the daemon can be asked again, so what was under way when a connection ended goes to the head of
/// the queue.
struct Exchange<Caller> {
    /// The daemon stops reading a connection on which 1,024 requests wait; below that, none holds up those behind it.
    private static var window: Int { 1_000 }

    /// A request that somebody waits for.
    struct Call {
        let line: RequestLine
        let deadline: NIODeadline
        let caller: Caller
    }

    /// What somebody who waited is told.
    struct Ending {
        let caller: Caller
        let result: Result<Data, TokenCacheError>
    }

    /// What lines of the daemon come to.
    struct Reading {
        var endings: [Ending] = []
        /// Whether the connection is of further use.
        var isUseful = true
    }

    /// All that are wanted, by id.
    private var calls: [Int: Call] = [:]
    /// Calls that were given up stay here until it is their turn.
    private var queue: Deque<Int> = []
    /// Calls that were given up stay here until their reply, because the daemon counts them as waiting.
    private var underWay: Set<Int> = []
    /// Who was told that the daemon ends.
    private var again: Set<Int> = []
    private var isDraining = false

    /// Whether a connection is needed.
    var hasQueue: Bool { queue.contains { calls[$0] != nil } }

    /// Whether the daemon was asked and hasn't answered.
    func isUnderWay(_ id: Int) -> Bool { underWay.contains(id) }

    /// Takes a call, whose id is higher than those before.
    mutating func add(_ call: Call, id: Int) {
        calls[id] = call
        queue.append(id)
    }

    /// Forgets a call: who waited for it, if anyone still does.
    mutating func giveUp(_ id: Int) -> Caller? {
        again.remove(id)
        return calls.removeValue(forKey: id)?.caller
    }

    /// The lines that may go now.
    mutating func take(at now: NIODeadline, into buffer: inout ByteBuffer) {
        while !isDraining, underWay.count < Self.window, let id = queue.popFirst() {
            guard let call = calls[id] else { continue }
            underWay.insert(id)
            call.line.write(id: id, left: call.deadline - now, into: &buffer)
        }
    }

    /// The daemon's lines came.
    mutating func receive(_ lines: [ByteBuffer]) -> Reading {
        var reading = Reading()
        for line in lines {
            guard receive(line, &reading) else {
                reading.endings += failUnderWay(.badReply)
                reading.isUseful = false
                return reading
            }
        }
        reading.isUseful = !(isDraining && !underWay.contains { calls[$0] != nil })
        return reading
    }

    /// What came can't be a reply.
    mutating func receiveNonsense() -> [Ending] { failUnderWay(.badReply) }

    /// The connection has ended: what was under way is to be asked again.
    mutating func disconnected() {
        let ids = underWay.union(again).filter { calls[$0] != nil }.sorted()
        queue.insert(contentsOf: ids, at: queue.startIndex)
        underWay = []
        again = []
        isDraining = false
    }

    /// Ends all calls.
    mutating func end(_ error: TokenCacheError) -> [Ending] {
        defer { self = Exchange() }
        return calls.sorted { $0.key < $1.key }.map { Ending(caller: $0.value.caller, result: .failure(error)) }
    }

    /// Whether the line can be read.
    private mutating func receive(_ line: ByteBuffer, _ reading: inout Reading) -> Bool {
        let data = Data(line.readableBytesView)
        // The decoder skips texts that it wasn't asked for, unseen.
        guard String(validating: data, as: UTF8.self) != nil,
            let reply = try? JSONDecoder().decode(ReplyLine.self, from: data)
        else { return false }
        guard reply.hasID else {
            // All our requests have an id, so this is about the connection itself.
            guard let error = reply.error else { return false }
            isDraining = true
            if error.code != .shuttingDown { reading.endings += failUnderWay(error) }
            return true
        }
        if reply.error?.code == .shuttingDown { isDraining = true }
        // What isn't under way was never asked, or has its answer.
        guard let id = reply.id, underWay.remove(id) != nil, let call = calls[id] else { return true }
        if reply.error?.code == .shuttingDown {
            again.insert(id)
            return true
        }
        calls[id] = nil
        reading.endings.append(Ending(caller: call.caller, result: reply.error.map { .failure($0) } ?? .success(data)))
        return true
    }

    private mutating func failUnderWay(_ error: TokenCacheError) -> [Ending] {
        defer { underWay = [] }
        return underWay.sorted().compactMap { id in
            calls.removeValue(forKey: id).map { Ending(caller: $0.caller, result: .failure(error)) }
        }
    }
}
