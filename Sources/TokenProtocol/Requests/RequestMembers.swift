/// The known members of one request, as ranges of its line.
struct RequestMembers {
    /// The deepest nesting of a request.
    ///
    /// No operation needs more.
    private static let depthLimit = 32

    /// A member that some operation uses.
    enum Name: Int, CaseIterable {
        case op
        case id
        case subject
        case userID
        case tenant
        case scope
        case minTTL
        case timeout
        case noCache
        case subjects
        case userIDs
        case accessToken
        case tokenSHA256
        case limit
        case after
        case order
        case traceparent
        case level
        case `for`
        case client
        case clients
        case refusedTokenSHA256
        case name
        case email
        case groups
        case everywhere
    }

    /// The members by the raw values of their names.
    private var values = InlineArray<26, JSONScanner.Value?>(repeating: nil)
    private var others = JSONMemberNames()
    /// True if a member comes twice.
    private(set) var hasDuplicate = false
    /// True if the id comes twice, so that a reply can't carry it.
    private(set) var hasTwoIDs = false

    /// Reads the whole line.
    ///
    /// All of it has to be JSON, also the members that the operation doesn't use.
    init(_ line: borrowing Span<UInt8>) throws(ErrorReply) {
        var scanner = JSONScanner(depthLimit: Self.depthLimit)
        do throws(JSONScanner.Malformed) {
            scanner.skipSpace(line)
            try scanner.expect(UInt8(ascii: "{"), line)
            scanner.skipSpace(line)
            if !scanner.take(UInt8(ascii: "}"), line) {
                try readMembers(line, &scanner)
                try scanner.expect(UInt8(ascii: "}"), line)
            }
            try scanner.end(line)
        } catch {
            throw Self.explain(error)
        }
        guard !scanner.hasNonASCII || JSONText.isUTF8(line) else {
            throw ErrorReply(.invalidRequest, "the line is not UTF-8")
        }
    }

    /// The value of a member.
    subscript(name: Name) -> JSONScanner.Value? { values[name.rawValue] }

    private mutating func readMembers(
        _ line: borrowing Span<UInt8>,
        _ scanner: inout JSONScanner
    ) throws(JSONScanner.Malformed) {
        while true {
            let name = try scanner.name(line)
            let value = try scanner.value(line, depth: 1)
            if let known = Self.known(name, line) {
                if values[known.rawValue] != nil { noteDuplicate(known) }
                values[known.rawValue] = value
            } else if !others.insert(JSONText.bytes(of: name, line)) {
                hasDuplicate = true
            }
            guard scanner.comma(line) else { return }
        }
    }

    private mutating func noteDuplicate(_ name: Name) {
        hasDuplicate = true
        if name == .id { hasTwoIDs = true }
    }

    /// The member of a name.
    ///
    /// A name with escapes is rare, so it is resolved and looked up in a table.
    private static func known(_ name: JSONScanner.Value, _ line: borrowing Span<UInt8>) -> Name? {
        guard name.kind == .string else {
            return byText[JSONText.string(of: name, line)]
        }
        // A table would cost each member of a hit a check that it is initialised, and counts of references.
        let candidates: (Name, Name?, Name?, Name?, Name?, Name?)
        switch name.end - name.start {
        case 2: candidates = (.op, .id, nil, nil, nil, nil)
        case 3: candidates = (.for, nil, nil, nil, nil, nil)
        case 4: candidates = (.name, nil, nil, nil, nil, nil)
        case 5: candidates = (.scope, .limit, .after, .order, .level, .email)
        case 6: candidates = (.tenant, .client, .groups, nil, nil, nil)
        case 7: candidates = (.subject, .userID, .minTTL, .timeout, .clients, nil)
        case 8: candidates = (.noCache, .subjects, .userIDs, nil, nil, nil)
        case 10: candidates = (.everywhere, nil, nil, nil, nil, nil)
        case 11: candidates = (.traceparent, nil, nil, nil, nil, nil)
        case 12: candidates = (.accessToken, .tokenSHA256, nil, nil, nil, nil)
        case 20: candidates = (.refusedTokenSHA256, nil, nil, nil, nil, nil)
        default: return nil
        }
        if JSONText.isEqual(name, candidates.0.text, line) { return candidates.0 }
        if let second = candidates.1, JSONText.isEqual(name, second.text, line) { return second }
        if let third = candidates.2, JSONText.isEqual(name, third.text, line) { return third }
        if let fourth = candidates.3, JSONText.isEqual(name, fourth.text, line) { return fourth }
        if let fifth = candidates.4, JSONText.isEqual(name, fifth.text, line) { return fifth }
        if let sixth = candidates.5, JSONText.isEqual(name, sixth.text, line) { return sixth }
        return nil
    }

    private static let byText = Dictionary(uniqueKeysWithValues: Name.allCases.map { ("\($0.text)", $0) })

    private static func explain(_ malformed: JSONScanner.Malformed) -> ErrorReply {
        guard !malformed.isTooDeep else {
            return ErrorReply(.invalidRequest, "the line nests deeper than \(depthLimit) levels")
        }
        return ErrorReply(
            .invalidRequest,
            "the line is not one JSON object; byte \(malformed.position + 1) is not what may stand there"
        )
    }
}

extension RequestMembers.Name {
    /// The member's name on the wire.
    var text: StaticString {
        switch self {
        case .op: "op"
        case .id: "id"
        case .subject: "subject"
        case .userID: "user_id"
        case .tenant: "tenant"
        case .scope: "scope"
        case .minTTL: "min_ttl"
        case .timeout: "timeout"
        case .noCache: "no_cache"
        case .subjects: "subjects"
        case .userIDs: "user_ids"
        case .accessToken: "access_token"
        case .tokenSHA256: "token_sha256"
        case .limit: "limit"
        case .after: "after"
        case .order: "order"
        case .traceparent: "traceparent"
        case .level: "level"
        case .for: "for"
        case .client: "client"
        case .clients: "clients"
        case .refusedTokenSHA256: "refused_token_sha256"
        case .name: "name"
        case .email: "email"
        case .groups: "groups"
        case .everywhere: "everywhere"
        }
    }
}
