import DequeModule

#if canImport(Glibc)
import Glibc
#endif

/// What one connection does with its bytes, without I/O: framing, parsing, the order of replies, back-pressure.
///
/// Its owner hands it what was read by ``next(_:_:hit:)`` until that gives nothing more, answers each request at once or
/// says that it waits, and sends what has gathered in ``output``. Replies to requests with an id go out as soon as they are
/// known; those without one in the order of the requests.
package struct ConnectionStateMachine: ~Copyable {
    /// What came of the bytes.
    package enum Step: Sendable, Equatable {
        /// A request; it must be given to ``answer(_:_:_:)`` or ``wait(_:_:)`` before the next step.
        case request(Request, ticket: UInt64)
        /// A line that is no request; its reply is in the output already.
        case rejected(ErrorReply.Code)
        /// So much output has gathered that it should be sent before more is added.
        case outputIsLarge
    }

    /// The bytes that were read, and how far the machine has come with them.
    package struct Cursor: Sendable, Equatable {
        /// The first byte that was not looked at.
        package var position = 0
        /// At the first byte.
        package init() {}
    }

    private enum Reading {
        /// Lines are read.
        case lines
        /// The rest of a line that was too long is passed over.
        case restOfLongLine
        /// The peer sends no more, and all that it sent was looked at.
        case ended
        /// The connection is gone: nothing is read and nobody waits.
        case closed
    }

    /// A request without an id, in its place: the replies behind it are kept until its own is there.
    private struct Place {
        let ticket: UInt64
        var reply: Reply?
    }

    private let parser: RequestParser
    private var reading = Reading.lines
    private var isDraining = false
    /// The beginning of a line whose end has not come yet.
    private var partial: [UInt8] = []
    /// What was read but not looked at, because too many requests wait.
    private var held: [UInt8] = []
    /// Whether the peer's end has been seen behind what is held, so that it comes when that has been looked at.
    private var holdsEnd = false
    private var inOrder: Deque<Place> = []
    private var byID: [UInt64: RequestID] = [:]
    private var lastTicket: UInt64 = 0

    /// The replies that are to be sent.
    package var output = OutputBuffer()

    /// A connection that has just been opened.
    ///
    /// - Parameter isAdmin: Whether it came in on the admin socket.
    package init(isAdmin: Bool) { parser = RequestParser(isAdmin: isAdmin) }

    // MARK: State

    /// How many requests wait for an answer or for their turn.
    package var waiting: Int { inOrder.count + byID.count }

    /// Output is to be sent before more is added to it when so much has gathered, in bytes; its owner says so.
    package var largeOutput = 64 * 1_024

    /// Whether the peer doesn't take what was sent; its owner says so.
    package var isBlocked = false

    /// Whether it has had its turn, and others have theirs before it goes on; its owner says so.
    package var isResting = false

    /// Whether no more is to be read for now: too many requests wait, the peer doesn't take its replies, or it is others'
    /// turn.
    package var isFull: Bool { isBlocked || isResting || waiting >= ProtocolLimits.mostWaiting }

    /// Whether the connection has done all that it will do and can be closed once the output is sent.
    package var isDone: Bool {
        // What is held are requests, too: in a drain each of them is told to go elsewhere.
        guard waiting == 0, held.isEmpty else { return false }
        switch reading {
        case .ended: return true
        case .closed: return false
        case .lines, .restOfLongLine: return isDraining
        }
    }

    /// Whether something was read and not looked at yet.
    package var hasHeld: Bool { !held.isEmpty }

    /// The tickets of all requests that wait.
    package var tickets: [UInt64] { Array(byID.keys) + inOrder.filter { $0.reply == nil }.map(\.ticket) }

    // MARK: Bytes in

    /// The next thing in what was read; nil: there is nothing more in it for now, and what is left has been kept.
    ///
    /// - Parameter hit: Where it has a token, the request is answered here and is no step.
    package mutating func next(
        _ chunk: borrowing Span<UInt8>,
        _ cursor: inout Cursor,
        hit: HitLookup
    ) -> Step? {
        while cursor.position < chunk.count {
            if case .closed = reading { return nil }
            guard output.count < largeOutput else { return .outputIsLarge }
            // What is held came earlier, so this has to wait behind it, even if there is room by now.
            guard !isFull, held.isEmpty else {
                hold(chunk, &cursor)
                return nil
            }
            guard let end = Self.lineEnd(chunk, from: cursor.position) else {
                let step = keepPartial(chunk, &cursor)
                cursor.position = chunk.count
                if let step { return step }
                break
            }
            let start = cursor.position
            cursor.position = end + 1
            if let step = take(chunk.extracting(start..<end), hit) { return step }
        }
        return holdsEnd && held.isEmpty ? inputEnded() : nil
    }

    /// Takes out what was held, to be gone through now that there is room.
    package mutating func takeHeld() -> [UInt8] {
        defer { held = [] }
        return held
    }

    /// The peer sends no more; a line that it didn't finish may be a part of another and is not carried out.
    ///
    /// The end can come before all that was read has been looked at; it then takes its turn behind that.
    package mutating func inputEnded() -> Step? {
        holdsEnd = !held.isEmpty
        guard !holdsEnd else { return nil }
        let isUnfinished = if case .lines = reading { !partial.isEmpty } else { false }
        reading = .ended
        partial = []
        return isUnfinished ? reject(nil, ErrorReply(.invalidRequest, "the last line has no end")) : nil
    }

    /// From now on every request is answered `shutting_down`.
    package mutating func drain() { isDraining = true }

    /// The connection is gone: nothing comes of it any more.
    ///
    /// - Returns: The tickets of those who waited on it.
    package mutating func close() -> [UInt64] {
        let tickets = tickets
        reading = .closed
        holdsEnd = false
        (partial, held, inOrder, byID) = ([], [], [], [:])
        output.wipe()
        return tickets
    }

    // MARK: Replies out

    /// Answers the request of the last step.
    package mutating func answer(_ ticket: UInt64, _ id: RequestID?, _ reply: Reply) {
        guard id == nil, !inOrder.isEmpty else { return ReplyEncoder.encode(reply, id: id, into: &output) }
        inOrder.append(Place(ticket: ticket, reply: reply))
    }

    private mutating func answerHit(_ id: RequestID?, _ reply: TokenReply) {
        guard id == nil, !inOrder.isEmpty else { return ReplyEncoder.encode(reply, id: id, into: &output) }
        lastTicket += 1
        inOrder.append(Place(ticket: lastTicket, reply: .token(reply)))
    }

    /// Notes that the request of the last step is answered later.
    package mutating func wait(_ ticket: UInt64, _ id: RequestID?) {
        if let id { byID[ticket] = id } else { inOrder.append(Place(ticket: ticket)) }
    }

    /// Answers a request that waited; false: it is not one of this connection.
    package mutating func deliver(_ reply: Reply, to ticket: UInt64) -> Bool {
        if let id = byID.removeValue(forKey: ticket) {
            ReplyEncoder.encode(reply, id: id, into: &output)
            return true
        }
        guard let index = inOrder.firstIndex(where: { $0.ticket == ticket && $0.reply == nil }) else { return false }
        inOrder[index].reply = reply
        while let reply = inOrder.first?.reply {
            inOrder.removeFirst()
            ReplyEncoder.encode(reply, id: nil, into: &output)
        }
        return true
    }

    // MARK: Lines

    private static func lineEnd(_ chunk: borrowing Span<UInt8>, from start: Int) -> Int? {
        unsafe chunk.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress, let found = unsafe memchr(base + start, 0x0A, bytes.count - start)
            else {
                return nil
            }
            return unsafe UnsafeRawPointer(found) - UnsafeRawPointer(base)
        }
    }

    /// A line's end has come; the line is in the chunk, or its beginning was kept.
    private mutating func take(_ rest: borrowing Span<UInt8>, _ hit: HitLookup) -> Step? {
        if case .restOfLongLine = reading {
            reading = .lines
            return nil
        }
        guard !partial.isEmpty else { return line(rest, hit) }
        guard partial.count + rest.count <= ProtocolLimits.longestLine + 1 else {
            partial = []
            return tooLong()
        }
        append(rest)
        let whole = partial
        partial = []
        return line(whole.span, hit)
    }

    private mutating func line(_ line: borrowing Span<UInt8>, _ hit: HitLookup) -> Step? {
        let hasReturn = line.count > 0 && line[line.count - 1] == 0x0D
        let length = hasReturn ? line.count - 1 : line.count
        guard length > 0 else { return nil }
        guard length <= ProtocolLimits.longestLine else { return tooLong() }
        switch parser.parse(line.extracting(0..<length), hit: isDraining ? { _, _, _, _, _ in nil } : hit) {
        case .rejected(let id, let error): return reject(id, error)
        case .hit(let id, let reply):
            answerHit(id, reply)
            return nil
        case .request(let request):
            guard !isDraining else {
                return reject(request.id, ErrorReply(.shuttingDown, "the daemon is shutting down: connect again"))
            }
            lastTicket += 1
            return .request(request, ticket: lastTicket)
        }
    }

    /// Keeps the beginning of a line whose end has not come; one that is too long already is answered at once.
    private mutating func keepPartial(_ chunk: borrowing Span<UInt8>, _ cursor: inout Cursor) -> Step? {
        if case .restOfLongLine = reading { return nil }
        let rest = chunk.extracting(cursor.position..<chunk.count)
        guard !isTooLong(endingWith: rest) else {
            partial = []
            reading = .restOfLongLine
            return tooLong()
        }
        append(rest)
        return nil
    }

    /// Whether the line that has begun is too long, wherever its end comes: its last byte can be the carriage return.
    private func isTooLong(endingWith rest: borrowing Span<UInt8>) -> Bool {
        let count = partial.count + rest.count
        let mayEnd = rest.count > 0 && rest[rest.count - 1] == 0x0D
        return count > (mayEnd ? ProtocolLimits.longestLine + 1 : ProtocolLimits.longestLine)
    }

    private mutating func hold(_ chunk: borrowing Span<UInt8>, _ cursor: inout Cursor) {
        let rest = chunk.extracting(cursor.position..<chunk.count)
        unsafe rest.withUnsafeBufferPointer { unsafe held.append(contentsOf: $0) }
        cursor.position = chunk.count
    }

    private mutating func append(_ rest: borrowing Span<UInt8>) {
        unsafe rest.withUnsafeBufferPointer { unsafe partial.append(contentsOf: $0) }
    }

    private mutating func tooLong() -> Step {
        reject(
            nil,
            ErrorReply(.invalidRequest, "the line is longer than \(ProtocolLimits.longestLine) bytes; it is skipped")
        )
    }

    private mutating func reject(_ id: RequestID?, _ error: ErrorReply) -> Step {
        lastTicket += 1
        answer(lastTicket, id, .error(error))
        return .rejected(error.code)
    }
}
