import Testing
import TokenProtocol

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A connection's state machine, with its input and output as text.
///
/// It is a class, as the machine can't be copied but an expectation copies its operands.
final class Exchange {
    private var machine: ConnectionStateMachine
    private(set) var requests: [(request: Request, ticket: UInt64)] = []
    private(set) var rejected: [ErrorReply.Code] = []
    private(set) var rejectedOperations: [OperationName?] = []
    /// The largest output, in bytes, when the machine asked to send it.
    private(set) var largestOutput = 0
    /// The number of steps that need nothing from the owner.
    private(set) var steps = 0
    private var sentEarly: [String] = []
    private let hit: HitLookup

    init(isAdmin: Bool = false, hit: @escaping HitLookup = { _, _, _, _, _, _, _ in false }) {
        machine = ConnectionStateMachine(isAdmin: isAdmin)
        self.hit = hit
    }

    var isFull: Bool { machine.isFull }
    var isDone: Bool { machine.isDone }
    var hasHeld: Bool { machine.hasHeld }
    var waiting: Int { machine.waiting }
    var tickets: [UInt64] { machine.pending.map(\.ticket) }
    var operations: [OperationName] { machine.pending.map(\.operation) }
    var output: Int { machine.output.count }
    var isBlocked: Bool {
        get { machine.isBlocked }
        set { machine.isBlocked = newValue }
    }

    func drain() { machine.drain() }

    func close() -> [UInt64] { machine.close().map(\.ticket) }

    func answer(_ ticket: UInt64, _ id: RequestID?, _ reply: Reply) { machine.answer(ticket, id, reply) }

    /// Receives bytes.
    ///
    /// Every request waits.
    func receive(_ text: String) { receive(Array(text.utf8)) }

    func receive(_ bytes: [UInt8]) {
        var cursor = ConnectionStateMachine.Cursor()
        while let step = machine.next(bytes.span, &cursor, hit: hit) { take(step) }
    }

    /// Continues with held bytes.
    func resume() {
        while machine.hasHeld, !machine.isFull { receive(machine.takeHeld()) }
    }

    /// Answers a request that waits.
    func deliver(_ reply: Reply, to ticket: UInt64, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(isDelivered(reply, to: ticket), sourceLocation: sourceLocation)
    }

    /// Answers a request that may no longer wait, and returns true if it did.
    func isDelivered(_ reply: Reply, to ticket: UInt64) -> Bool { machine.deliver(reply, to: ticket) != nil }

    func endInput() {
        if let step = machine.inputEnded() { take(step) }
    }

    /// The output as lines.
    func sent() -> [String] {
        defer { sentEarly = [] }
        return sentEarly + lines()
    }

    private func lines() -> [String] {
        let text = unsafe machine.output.drain { unsafe String(decoding: $0, as: UTF8.self) }
        return text.split(separator: "\n").map(String.init)
    }

    private func take(_ step: ConnectionStateMachine.Step) {
        switch step {
        case .rejected(let code, let operation):
            rejected.append(code)
            rejectedOperations.append(operation)
        case .answered, .emptyLines: steps += 1
        case .outputIsLarge:
            largestOutput = max(largestOutput, output)
            sentEarly += lines()
        case .request(let request, let ticket):
            requests.append((request, ticket))
            machine.wait(ticket, request.id, request.operation.name)
        }
    }
}

/// Parses one line.
func parse(_ line: String, isAdmin: Bool = false) -> RequestParser.Line { parse(Array(line.utf8), isAdmin: isAdmin) }

func parse(_ line: [UInt8], isAdmin: Bool = false) -> RequestParser.Line {
    var output = OutputBuffer()
    return RequestParser(isAdmin: isAdmin).parse(line.span, hit: { _, _, _, _, _, _, _ in false }, into: &output)
}

extension RequestParser.Line {
    var request: Request? {
        if case .request(let request) = self { request } else { nil }
    }

    var error: ErrorReply? {
        if case .rejected(_, let error) = self { error } else { nil }
    }

    var token: TokenRequest? {
        if case .token(let request)? = request?.operation { request } else { nil }
    }
}

/// The members of a reply's line.
func members(_ line: String) throws -> [String: JSONish] {
    try JSONDecoder().decode([String: JSONish].self, from: Data(line.utf8))
}

/// Any JSON value, to check replies with.
enum JSONish: Decodable, Equatable {
    case text(String)
    case number(Double)
    case flag(Bool)
    case list([JSONish])
    case object([String: JSONish])
    case null

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let flag = try? container.decode(Bool.self) {
            self = .flag(flag)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let list = try? container.decode([JSONish].self) {
            self = .list(list)
        } else {
            self = .object(try container.decode([String: JSONish].self))
        }
    }
}
