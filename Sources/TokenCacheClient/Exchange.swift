import DequeModule
import NIOCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The calls that wait or are under way, and the meaning of the daemon's lines for them; no socket, clock or task.
///
/// A call goes on the oldest connection that has room. Where all are full, another one is wanted, so that what the daemon
/// has in its cache never waits behind what it has to fetch. Every operation of the daemon can be asked again, so what was
/// under way when a connection ended goes before what waits.
struct Exchange<Caller> {
    /// The daemon lets 65,536 requests wait in all, which is less than this many connections hold.
    static var mostConnections: Int { 66 }

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

    private struct Entry {
        let call: Call
        /// The connection on which it is under way; nil: it waits.
        var connection: Int?
    }

    /// All that are wanted, by id.
    private var calls: [Int: Entry] = [:]
    /// The calls that wait, by id: the first to call is asked first, and one that was under way before one that never was.
    ///
    /// Calls that were given up stay here until it is their turn, or until they are too many.
    private var queue: Deque<Int> = []
    /// The calls that were under way and wait again, in no order; they go into the queue when that is next taken from.
    private var again: [Int] = []
    /// The number of both that are wanted.
    private var waiting = 0
    /// The oldest first.
    private var conversations: [Conversation] = []

    /// Whether calls wait that another connection would take; while the daemon drains one, it accepts no other.
    var wantsConnection: Bool {
        waiting > 0 && conversations.count < Self.mostConnections
            && conversations.allSatisfy { $0.isFull && !$0.isDraining }
    }

    /// Whether the daemon was asked and hasn't answered.
    func isUnderWay(_ id: Int) -> Bool { calls[id]?.connection != nil }

    /// Whether the daemon has said on that connection that it ends.
    func isDraining(_ number: Int) -> Bool { index(of: number).map { conversations[$0].isDraining } ?? false }

    /// Whether the connection serves nobody and can be closed: nobody waits for a reply, and it is full of calls that were
    /// given up, of which the daemon should hear, or takes no more, or an older one has room.
    func isDispensable(_ number: Int) -> Bool {
        guard let index = index(of: number), !conversations[index].isAwaited else { return false }
        return !conversations[index].hasRoom || conversations[..<index].contains { $0.hasRoom }
    }

    /// Takes a call, whose id is higher than those before.
    mutating func add(_ call: Call, id: Int) {
        calls[id] = Entry(call: call)
        queue.append(id)
        waiting += 1
    }

    /// Forgets a call: who waited for it, if anyone still does.
    mutating func giveUp(_ id: Int) -> Caller? {
        guard let entry = calls.removeValue(forKey: id) else { return nil }
        if let number = entry.connection {
            if let index = index(of: number) { conversations[index].giveUp(id) }
        } else {
            waiting -= 1
            // Some are let be, so that each costs little.
            if queue.count > 2 * waiting + Conversation.window { queue.removeAll { calls[$0] == nil } }
        }
        return entry.call.caller
    }

    /// A connection has been made; its number is like no other's.
    mutating func connected(_ number: Int) { conversations.append(Conversation(number: number)) }

    /// The connection has ended: what was under way is to be asked again.
    mutating func disconnected(_ number: Int) {
        guard let index = index(of: number) else { return }
        var conversation = conversations.remove(at: index)
        for id in conversation.clear() { askAgain(id) }
    }

    /// The lines that may go on that connection now.
    mutating func take(on number: Int, at now: NIODeadline, into buffer: inout ByteBuffer) {
        guard let index = index(of: number), conversations[index].hasRoom else { return }
        mergeQueue()
        while conversations[index].hasRoom, let id = queue.popFirst() {
            guard let call = calls[id]?.call else { continue }
            waiting -= 1
            calls[id]?.connection = number
            conversations[index].add(id)
            call.line.write(id: id, left: call.deadline - now, into: &buffer)
        }
    }

    /// The daemon's lines came.
    mutating func receive(_ lines: [ByteBuffer], on number: Int) -> Reading {
        var reading = Reading()
        guard let index = index(of: number) else { return reading }
        for line in lines where reading.isUseful { receive(line, index, &reading) }
        return reading
    }

    /// What came can't be a reply.
    mutating func receiveNonsense(on number: Int) -> Reading {
        var reading = Reading()
        if let index = index(of: number) { fail(index, .badReply, &reading) }
        return reading
    }

    /// Ends all calls, and forgets the connections.
    mutating func end(_ error: TokenCacheError) -> [Ending] {
        defer { self = Exchange() }
        return calls.sorted { $0.key < $1.key }.map { Ending(caller: $0.value.call.caller, result: .failure(error)) }
    }

    private func index(of number: Int) -> Int? { conversations.firstIndex { $0.number == number } }

    private mutating func receive(_ line: ByteBuffer, _ index: Int, _ reading: inout Reading) {
        guard let reply = ReplyLine(line), reply.hasID || reply.error != nil else {
            return fail(index, .badReply, &reading)
        }
        let isShuttingDown = reply.error?.code == .shuttingDown
        if isShuttingDown { conversations[index].isDraining = true }
        guard reply.hasID else {
            // All our requests have an id, so this is about the connection itself.
            if let error = reply.error, !isShuttingDown { fail(index, error, &reading) }
            return
        }
        // What isn't under way was never asked, or nobody waits for it any more.
        guard let id = reply.id, conversations[index].remove(id) else { return }
        if isShuttingDown { return askAgain(id) }
        end(id, reply.error.map { .failure($0) } ?? .success(reply.data), &reading.endings)
    }

    private mutating func fail(_ index: Int, _ error: TokenCacheError, _ reading: inout Reading) {
        for id in conversations[index].clear() { end(id, .failure(error), &reading.endings) }
        reading.isUseful = false
    }

    private mutating func end(_ id: Int, _ result: Result<Data, TokenCacheError>, _ endings: inout [Ending]) {
        guard let entry = calls.removeValue(forKey: id) else { return }
        endings.append(Ending(caller: entry.call.caller, result: result))
    }

    private mutating func askAgain(_ id: Int) {
        calls[id]?.connection = nil
        waiting += 1
        again.append(id)
    }

    /// Puts those that are asked again where they were in the queue.
    private mutating func mergeQueue() {
        guard !again.isEmpty else { return }
        queue = Deque((again + queue).sorted())
        again = []
    }
}
