/// Reads one line as a request.
package struct RequestParser {
    /// The result of reading a line.
    package enum Line: Sendable, Equatable {
        /// A request.
        case request(Request)
        /// A request for a token, whose reply was appended to the output.
        case hit
        /// A line that is not a request, with the reply to it and the id if the line has a valid one.
        case rejected(id: RequestID?, ErrorReply)
    }

    /// The requests for tokens that the lookup of hits may answer.
    package enum AnsweredHits: Sendable {
        /// None, as in a drain.
        case none
        /// Those with an id, whose replies may overtake others.
        case withID
        /// All.
        case all
    }

    /// The names of all members that some operation reads.
    package static var memberNames: [String] { RequestMembers.Name.allCases.map { "\($0.text)" } }

    /// True if the operators' operations may be asked for.
    private let isAdmin: Bool

    /// Creates a parser for the lines of one of the two sockets.
    package init(isAdmin: Bool) { self.isAdmin = isAdmin }

    /// Reads a line without its end.
    ///
    /// - Parameters:
    ///   - hits: The requests that the lookup may answer.
    ///   - hit: The lookup of tokens, which is tried first if the line asks for a token.
    ///   - output: The output to which the reply to a hit is appended.
    package func parse(
        _ line: borrowing Span<UInt8>,
        answering hits: AnsweredHits = .all,
        hit: HitLookup,
        into output: inout OutputBuffer
    ) -> Line {
        var id: RequestID?
        do throws(ErrorReply) {
            let reader = RequestReader(members: try RequestMembers(line))
            if !reader.members.hasTwoIDs { id = try Self.id(reader.members[.id], line) }
            guard !reader.members.hasDuplicate else {
                throw ErrorReply(.invalidRequest, "a member of the object comes twice")
            }
            let mayBeHit = hits == .all || hits == .withID && id != nil
            if mayBeHit, let plain = reader.plainToken(line), plain.answer(line, hit, into: &output) { return .hit }
            let operation = try operation(reader, line)
            let trace = operation.name.callsTenant ? try reader.trace(line) : nil
            return .request(Request(id: id, operation: operation, trace: trace))
        } catch {
            return .rejected(id: id, error)
        }
    }

    private func operation(_ reader: RequestReader, _ line: borrowing Span<UInt8>) throws(ErrorReply) -> Operation {
        guard let name = reader.members[.op] else {
            throw ErrorReply(.invalidRequest, "'op' is missing: it names the operation")
        }
        guard name.isString else { throw ErrorReply(.invalidRequest, "'op' must be a string") }
        guard let operation = Self.operationName(name, line), isAdmin || operation.isForApps else {
            throw ErrorReply(.unsupportedOperation, "there is no such operation on this socket")
        }
        switch operation {
        case .token: return .token(try reader.token(line))
        case .prefetch: return .prefetch(try reader.prefetch(line))
        case .invalidate: return .invalidate(try reader.invalidate(line))
        case .revoke: return try reader.revoke(line)
        case .provision: return .provision(try reader.provision(line))
        case .hello: return .hello
        case .stats: return .stats
        case .entries: return .entries(try reader.entries(line))
        case .evict: return .evict(try reader.key(line))
        case .flush: return .flush(tenant: try reader.tenant(line))
        case .reload: return .reload
        case .health: return .health
        case .metrics: return .metrics
        case .explain: return .explain(try reader.key(line))
        case .releaseHold: return .releaseHold(tenant: try reader.tenant(line))
        case .logLevel: return .logLevel(try reader.logLevel(line))
        }
    }

    private static func operationName(_ value: JSONScanner.Value, _ line: borrowing Span<UInt8>) -> OperationName? {
        if JSONText.isEqual(value, "token", line) { return .token }
        return OperationName(rawValue: JSONText.string(of: value, line))
    }

    // MARK: The id

    /// The longest id in bytes, without its escapes.
    static let longestID = 128
    /// The largest integer that every JSON library keeps exactly: 53 bits.
    private static let largestID: Int64 = 1 << 53 - 1

    private static func id(
        _ value: JSONScanner.Value?,
        _ line: borrowing Span<UInt8>
    ) throws(ErrorReply) -> RequestID? {
        guard let value else { return nil }
        if let number = JSONText.integer(of: value, line, digits: 16), abs(number) <= largestID {
            return .integer(number)
        }
        guard value.isString, value.end - value.start <= 6 * longestID,
            JSONText.bytes(of: value, line).count <= longestID
        else {
            throw ErrorReply(
                .invalidRequest,
                "'id' must be a string of at most \(longestID) bytes or an integer of at most 53 bits"
            )
        }
        var json: [UInt8] = []
        json.reserveCapacity(value.end - value.start + 2)
        for position in (value.start - 1)...value.end { json.append(line[position]) }
        return .text(json: json)
    }
}
