import Testing
import TokenProtocol

/// The arguments of a lookup, or what the general parser reads as them.
private struct Lookup: Equatable {
    var field: LookupField
    var user: [UInt8]
    var tenant: [UInt8]
    var scope: ScopeSet?
    var minTTL: Duration?
    var id: RequestID?
}

/// A connection whose lookup finds a token for every request that has valid scopes.
private final class Connection {
    private(set) var lookups: [Lookup] = []
    let exchange: Exchange

    init() {
        var record: (Lookup) -> Void = { _ in }
        exchange = Exchange { field, user, tenant, scope, minTTL, id, output in
            let scopes = ScopeSet(String(decoding: Self.bytes(scope), as: UTF8.self))
            // No entry has invalid scopes.
            guard scope.isEmpty || scopes != nil else { return false }
            let (user, tenant, id) = (Self.bytes(user), Self.bytes(tenant), Self.id(Self.bytes(id)))
            record(Lookup(field: field, user: user, tenant: tenant, scope: scopes, minTTL: minTTL, id: id))
            ReplyEncoder.encode(.evicted, id: id, into: &output)
            return true
        }
        record = { [unowned self] in lookups.append($0) }
    }

    private static func bytes(_ span: borrowing Span<UInt8>) -> [UInt8] {
        unsafe span.withUnsafeBufferPointer { unsafe Array($0) }
    }

    private static func id(_ json: [UInt8]) -> RequestID? {
        guard !json.isEmpty else { return nil }
        return Int64(String(decoding: json, as: UTF8.self)).map(RequestID.integer) ?? .text(json: json)
    }
}

@Suite("The plain form compared with the general parser")
struct PlainTokenAgreementTests {
    /// The arguments of a lookup as the general parser reads them.
    private static func lookup(_ request: Request?) -> Lookup? {
        guard let request, case .token(let token) = request.operation else { return nil }
        return Lookup(
            field: token.key.user.field,
            user: token.key.user.value,
            tenant: Array((token.key.tenant ?? "").utf8),
            scope: token.key.scopes,
            minTTL: token.minTTL,
            id: request.id
        )
    }

    private static func isPlain(_ line: [UInt8]) -> Bool {
        var request = PlainTokenRequest()
        return PlainTokenScanner.read(line.span, from: 0, into: &request) != nil
    }

    @Test("Every line is looked up, requested or rejected as the general parser reads it.", arguments: 0..<200)
    func agree(seed: Int) {
        var random = SeededGenerator(state: UInt64(seed))
        for _ in 0..<100 {
            let bytes = RandomLine(&random).bytes
            let connection = Connection()
            connection.exchange.receive(bytes)
            var line = Array(bytes.dropLast())
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            let parsed = parse(line)
            let text = String(decoding: line, as: UTF8.self)
            if let lookup = connection.lookups.first {
                #expect(lookup == Self.lookup(parsed.request), "\(text)")
                #expect(parsed.token?.noCache == false && parsed.token?.refused == nil, "\(text)")
                #expect(connection.exchange.requests.isEmpty && connection.exchange.rejected.isEmpty, "\(text)")
            } else {
                #expect(connection.exchange.requests.map(\.request) == [parsed.request].compactMap(\.self), "\(text)")
                #expect(connection.exchange.rejected == [parsed.error?.code].compactMap(\.self), "\(text)")
            }
        }
    }

    @Test("Lines that are read together have the replies that they have alone.", arguments: 0..<50)
    func together(seed: Int) {
        var random = SeededGenerator(state: UInt64(seed) + 1_000)
        let lines = (0..<40).map { _ in RandomLine(&random).bytes }
        let (together, alone) = (Connection(), Connection())
        together.exchange.receive(lines.flatMap(\.self))
        for line in lines { alone.exchange.receive(line) }
        #expect(together.lookups == alone.lookups)
        #expect(together.exchange.requests.map(\.request) == alone.exchange.requests.map(\.request))
        #expect(together.exchange.rejected == alone.exchange.rejected)
        #expect(together.exchange.sent() == alone.exchange.sent())
    }

    @Test("Of the random lines, enough are plain and enough are not for the comparison to mean something.")
    func coverage() {
        var random = SeededGenerator(state: 7)
        let lines = (0..<2_000).map { _ in RandomLine(&random).bytes }
        let plain = lines.count(where: Self.isPlain)
        let valid = lines.count { parse(Array($0.dropLast())).request != nil && !Self.isPlain($0) }
        #expect(plain > 200 && valid > 200, "\(plain) plain ones, \(valid) other valid ones")
    }
}
