#if canImport(Glibc)
import Glibc
#endif

/// The state of one connection, without I/O: framing, parsing, the order of replies, back-pressure.
///
/// Its owner passes what was read to ``next(_:_:hit:)`` until that returns nil, answers each request or notes that it
/// waits, and sends the ``output``. Replies to requests with an id are sent as soon as they are known, those without an
/// id in the order of the requests.
package struct ConnectionStateMachine: ~Copyable {
    private enum Reading {
        /// Lines are processed.
        case lines
        /// The rest of a line that was too long is skipped.
        case restOfLongLine
        /// The peer sends no more, and all that it has sent was processed.
        case ended
        /// The connection was closed: nothing is read and no request waits.
        case closed
    }

    /// The number of empty lines that cost about as much as a request.
    private static let emptyLinesPerRequest = 1_024

    private let parser: RequestParser
    private var reading = Reading.lines
    private var isDraining = false
    /// The beginning of a line whose end was not read yet.
    private var partial: [UInt8] = []
    /// Bytes that were read but not processed, because the connection was full.
    private var held: [UInt8] = []
    /// True if the end of the input was read after the held bytes, and is processed after them.
    private var holdsEnd = false
    private var requests = PendingRequests()
    private var lastTicket: UInt64 = 0

    /// The replies that are ready to be sent.
    package var output = OutputBuffer()

    /// Creates the state of a connection that was just opened.
    ///
    /// - Parameter isAdmin: True if it is a connection to the admin socket.
    package init(isAdmin: Bool) { parser = RequestParser(isAdmin: isAdmin) }

    // MARK: State

    /// The number of requests that wait for a reply, or whose reply waits for earlier ones.
    package var waiting: Int { requests.count }

    /// The size of the output in bytes at which it should be sent before more is added, as set by the owner.
    package var largeOutput = 64 * 1_024

    /// True if the peer doesn't read its replies, as set by the owner.
    package var isBlocked = false

    /// True while other connections are served before this one continues, as set by the owner.
    package var isYielding = false

    /// True if no more bytes are processed for now, because too many requests wait, the peer doesn't read its replies,
    /// or other connections are served first.
    package var isFull: Bool { isBlocked || isYielding || waiting >= ProtocolLimits.maxWaiting }

    /// True if nothing is left to do, so that the connection can be closed once the output was sent.
    package var isDone: Bool {
        // Held bytes are requests, too. In a drain each of them is answered with `shutting_down`.
        guard waiting == 0, held.isEmpty else { return false }
        switch reading {
        case .ended: return true
        case .closed: return false
        case .lines, .restOfLongLine: return isDraining
        }
    }

    /// True if bytes were read that are not processed yet.
    package var hasHeld: Bool { !held.isEmpty }

    /// All requests that wait.
    package var pending: [PendingRequest] { requests.all }

    // MARK: Bytes in

    /// Answers requests for tokens in their plain form, as far as they come first and are found.
    ///
    /// Nearly all that is read is nothing else, and then needs no ``Step``.
    ///
    /// - Returns: True if all bytes were processed. Otherwise ``next(_:_:hit:)`` continues at the cursor.
    package mutating func answerHits(
        _ chunk: borrowing Span<UInt8>,
        _ cursor: inout Cursor,
        hit: HitLookup
    ) -> Bool {
        guard !isFull, held.isEmpty, !holdsEnd else { return false }
        _ = answerPlainTokens(chunk, &cursor, hit)
        return cursor.position == chunk.count
    }

    /// Processes bytes up to the next step.
    ///
    /// Returns nil if all of them were processed, or kept for later.
    ///
    /// - Parameter hit: The lookup of tokens. A request for a token that it finds is answered here and is not a step.
    package mutating func next(
        _ chunk: borrowing Span<UInt8>,
        _ cursor: inout Cursor,
        hit: HitLookup
    ) -> Step? {
        while cursor.position < chunk.count {
            if case .closed = reading { return nil }
            guard output.count < largeOutput else { return .outputIsLarge }
            // Held bytes were read earlier, so these have to wait for them, even if the connection is no longer full.
            guard !isFull, held.isEmpty else {
                hold(chunk, &cursor)
                return nil
            }
            let hits = answerPlainTokens(chunk, &cursor, hit)
            guard cursor.position < chunk.count, output.count < largeOutput else { continue }
            guard let end = Self.lineEnd(chunk, from: cursor.position) else {
                let step = keepPartial(chunk, &cursor)
                cursor.position = chunk.count
                if let step { return step }
                break
            }
            let start = cursor.position
            cursor.position = end + 1
            let step = take(chunk.extracting(start..<end), hits, hit)
            if case .emptyLines = step { Self.skipEmptyLines(chunk, &cursor) }
            if let step { return step }
        }
        return holdsEnd && held.isEmpty ? inputEnded() : nil
    }

    /// Removes the held bytes, for the owner to pass them to ``next(_:_:hit:)`` again.
    package mutating func takeHeld() -> [UInt8] {
        defer { held = [] }
        return held
    }

    /// Notes that the peer sends no more.
    ///
    /// An unfinished line is not processed, as it may be a part of another one. If bytes are held, the end is processed
    /// after them.
    package mutating func inputEnded() -> Step? {
        holdsEnd = !held.isEmpty
        guard !holdsEnd else { return nil }
        let isUnfinished = if case .lines = reading { !partial.isEmpty } else { false }
        reading = .ended
        partial = []
        return isUnfinished ? reject(nil, ErrorReply(.invalidRequest, "the last line has no end")) : nil
    }

    /// Answers every further request with `shutting_down`.
    package mutating func drain() { isDraining = true }

    /// Notes that the connection was closed, and drops everything.
    ///
    /// - Returns: The requests that waited.
    package mutating func close() -> [PendingRequest] {
        let pending = cancelWaiting()
        reading = .closed
        holdsEnd = false
        (partial, held) = ([], [])
        output.wipe()
        return pending
    }

    /// Drops all requests that wait, and replies that wait for theirs.
    ///
    /// - Returns: The requests that waited.
    package mutating func cancelWaiting() -> [PendingRequest] {
        defer { requests = PendingRequests() }
        return pending
    }

    // MARK: Replies out

    /// Answers the request of the last step.
    package mutating func answer(_ ticket: UInt64, _ id: RequestID?, _ reply: Reply) {
        requests.answer(ticket, id, reply, into: &output)
    }

    /// Notes that the request of the last step is answered later.
    package mutating func wait(_ ticket: UInt64, _ id: RequestID?, _ operation: OperationName) {
        requests.add(ticket, id, operation)
    }

    /// Answers a request that waited.
    ///
    /// - Returns: The request's operation, or nil if no such request waits on this connection.
    package mutating func deliver(_ reply: Reply, to ticket: UInt64) -> OperationName? {
        requests.deliver(reply, to: ticket, into: &output)
    }

    // MARK: Lines

    /// Answers requests for tokens in their plain form, up to the first line that has to be parsed in full.
    ///
    /// - Returns: The hits by which that line may be answered: none if its token was not found.
    private mutating func answerPlainTokens(
        _ chunk: borrowing Span<UInt8>,
        _ cursor: inout Cursor,
        _ hit: HitLookup
    ) -> RequestParser.AnsweredHits {
        let hits = answeredHits
        guard hits != .none, partial.isEmpty, case .lines = reading else { return hits }
        while output.count < largeOutput {
            var request = PlainTokenRequest()
            guard let next = PlainTokenScanner.read(chunk, from: cursor.position, into: &request),
                hits == .all || !request.id.isEmpty
            else { return hits }
            guard request.answer(chunk, hit, into: &output) else { return .none }
            cursor.position = next
        }
        return hits
    }

    private static func lineEnd(_ chunk: borrowing Span<UInt8>, from start: Int) -> Int? {
        unsafe chunk.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress, let found = unsafe memchr(base + start, 0x0A, bytes.count - start)
            else {
                return nil
            }
            return unsafe UnsafeRawPointer(found) - UnsafeRawPointer(base)
        }
    }

    /// Passes over empty lines, as many as cost about as much as a request.
    private static func skipEmptyLines(_ chunk: borrowing Span<UInt8>, _ cursor: inout Cursor) {
        let end = min(chunk.count, cursor.position + emptyLinesPerRequest)
        while cursor.position < end, chunk[cursor.position] == 0x0A { cursor.position += 1 }
    }

    /// Processes the rest of a line, after its beginning if that was kept.
    private mutating func take(
        _ rest: borrowing Span<UInt8>,
        _ hits: RequestParser.AnsweredHits,
        _ hit: HitLookup
    ) -> Step? {
        if case .restOfLongLine = reading {
            reading = .lines
            return nil
        }
        guard !partial.isEmpty else { return line(rest, hits, hit) }
        guard partial.count + rest.count <= ProtocolLimits.longestLine + 1 else {
            partial = []
            return tooLong()
        }
        append(rest)
        let whole = partial
        partial = []
        return line(whole.span, hits, hit)
    }

    private mutating func line(
        _ line: borrowing Span<UInt8>,
        _ hits: RequestParser.AnsweredHits,
        _ hit: HitLookup
    ) -> Step? {
        let hasReturn = line.count > 0 && line[line.count - 1] == 0x0D
        let length = hasReturn ? line.count - 1 : line.count
        guard length > 0 else { return .emptyLines }
        guard length <= ProtocolLimits.longestLine else { return tooLong() }
        switch parser.parse(line.extracting(0..<length), answering: hits, hit: hit, into: &output) {
        case .rejected(let id, let error): return reject(id, error)
        case .hit: return .answered
        case .request(let request):
            guard !isDraining else { return reject(request.id, .shuttingDown, request.operation.name) }
            lastTicket += 1
            return .request(request, ticket: lastTicket)
        }
    }

    /// The hits that the lookup may answer at once.
    ///
    /// One without an id has to wait for earlier replies, so it becomes a request if there are any.
    private var answeredHits: RequestParser.AnsweredHits {
        if isDraining { return .none }
        return requests.keepsOrder ? .withID : .all
    }

    /// Keeps the beginning of a line whose end was not read yet, or answers it at once if it is too long already.
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

    /// True if the line that has begun is too long, wherever it ends.
    ///
    /// A carriage return as its last byte so far doesn't count, because it may belong to the line end.
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

    private mutating func reject(_ id: RequestID?, _ error: ErrorReply, _ operation: OperationName? = nil) -> Step {
        lastTicket += 1
        answer(lastTicket, id, .error(error))
        return .rejected(error.code, operation)
    }
}
