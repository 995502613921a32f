import TokenProtocol

/// Answers requests for a cached token again and again, without I/O, for counts of instructions and for benchmarks.
///
/// A client has sixteen requests in flight, which are read at once. The lookup costs nothing but the reply, so what is
/// counted is the work on the request's and the reply's bytes.
public struct HitDriver: ~Copyable {
    /// The part of a hit's work that is repeated.
    public enum Part: String, CaseIterable, Sendable {
        /// Framing and parsing.
        case parse
        /// The reply's bytes.
        case encode
        /// All of it, by the state machine of a connection.
        case machine
    }

    /// The requests that are read at once.
    private static let requestsPerChunk = 16
    /// The size of the token in bytes, which is that of a usual tenant.
    private static let tokenSize = 1_199

    private let part: Part
    private let chunk: [UInt8]
    private let token = [UInt8](repeating: UInt8(ascii: "t"), count: tokenSize)
    private let scope = Array("user_default".utf8)
    private var machine = ConnectionStateMachine(isAdmin: false)

    /// Creates a driver of one part and one shape of requests.
    public init(_ part: Part, _ shape: RequestShape) {
        self.part = part
        chunk = Array((0..<Self.requestsPerChunk).map { shape.line($0) + "\n" }.joined().utf8)
    }

    /// Answers a chunk of requests, a number of times.
    ///
    /// - Returns: The number of requests that were answered, or read in their plain form.
    public mutating func run(rounds: Int) -> Int {
        var hits = 0
        for _ in 0..<rounds {
            switch part {
            case .parse: hits += parse()
            case .encode: hits += encode()
            case .machine: hits += answer()
            }
        }
        return hits
    }

    private func parse() -> Int {
        var (position, hits) = (0, 0)
        var request = PlainTokenRequest()
        while let next = PlainTokenScanner.read(chunk.span, from: position, into: &request) {
            position = next
            hits += 1
            request = PlainTokenRequest()
        }
        return hits
    }

    private mutating func encode() -> Int {
        let id = Array("42".utf8)
        let (token, scope) = (token, scope)
        for _ in 0..<Self.requestsPerChunk { Self.append(token, scope, id: id.span, to: &machine.output) }
        unsafe machine.output.drain { _ in }
        return Self.requestsPerChunk
    }

    private mutating func answer() -> Int {
        var hits = 0
        var cursor = ConnectionStateMachine.Cursor()
        let (chunk, token, scope) = (chunk, token, scope)
        let isDone = machine.answerHits(chunk.span, &cursor) { _, _, _, _, _, id, output in
            hits += 1
            Self.append(token, scope, id: id, to: &output)
            return true
        }
        while !isDone {
            let step = machine.next(chunk.span, &cursor) { _, _, _, _, _, id, output in
                hits += 1
                Self.append(token, scope, id: id, to: &output)
                return true
            }
            guard let step else { break }
            precondition(step == .answered, "all requests are answered as hits")
        }
        unsafe machine.output.drain { precondition($0.count > hits * Self.tokenSize, "each hit has its token") }
        return hits
    }

    /// Appends a reply as the cache does, from memory that is lent.
    private static func append(
        _ token: [UInt8],
        _ scope: [UInt8],
        id: borrowing Span<UInt8>,
        to output: inout OutputBuffer
    ) {
        unsafe token.withUnsafeBytes { token in
            unsafe scope.withUnsafeBytes { scope in
                let text = unsafe TokenText(token: token, scope: scope, expiresAt: WallTime(seconds: 1_795_471_800))
                ReplyEncoder.encode(text, expiresIn: 21_480, source: .cache, id: id, into: &output)
            }
        }
    }
}

@available(*, unavailable)
extension HitDriver: Sendable {}
