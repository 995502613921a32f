import Secrets

/// Reads the members of each operation.
///
/// The error for a wrong member says what it should be.
struct RequestReader {
    /// The longest name of a user, in bytes.
    static let longestUser = 1_024
    /// The most users in one prefetch.
    private static let maxUsers = 1_000
    /// The largest page of entries.
    private static let largestPage = 1_000.0
    /// The largest page of entries in the order of their refreshes.
    private static let largestRefreshPage = 100.0
    /// The most groups of one user.
    private static let maxGroups = 100
    /// The longest name, e-mail address or name of a group, in bytes.
    private static let longestName = 256
    /// The longest `min_ttl` in seconds.
    ///
    /// No token lives longer than a day.
    static let longestMinTTL = 86_400.0
    /// The longest `timeout` in seconds, which is the longest timeout of a tenant.
    private static let longestTimeout = 300.0

    /// The longest time in seconds for which the log has another level: a day, in which somebody looks again.
    private static let longestLogLevel: Int64 = 86_400

    let members: RequestMembers

    func token(_ line: borrowing Span<UInt8>) throws(ErrorReply) -> TokenRequest {
        var request = TokenRequest(key: try key(line))
        request.minTTL = try minTTL(line)
        if let timeout = try timeout(line) { request.timeout = timeout }
        request.noCache = try flag(.noCache)
        if let hash = members[.refusedTokenSHA256] {
            request.refused = try self.fingerprint(hash, .refusedTokenSHA256, line)
        }
        return request
    }

    func revoke(_ line: borrowing Span<UInt8>) throws(ErrorReply) -> Operation {
        let (key, everywhere) = (try key(line), try flag(.everywhere))
        guard !everywhere || key.user.field != .client, !everywhere || key.scopes == nil else {
            throw ErrorReply(.invalidRequest, "'everywhere' must be given without 'client' and 'scope'")
        }
        return .revoke(key, everywhere: everywhere)
    }

    func provision(_ line: borrowing Span<UInt8>) throws(ErrorReply) -> ProvisionRequest {
        guard let subject = members[.subject] else { throw Self.wrong(.subject, Self.userRule) }
        var request = ProvisionRequest(subject: try user(subject, .subject, .subject, line).value)
        request.name = try name(.name, line)
        request.email = try name(.email, line)
        request.groups = try groups(line)
        request.tenant = try tenant(line)
        if let timeout = try timeout(line) { request.timeout = timeout }
        return request
    }

    func prefetch(_ line: borrowing Span<UInt8>) throws(ErrorReply) -> PrefetchRequest {
        let users: [UserLookup]
        switch (members[.subjects], members[.userIDs], members[.clients], members[.client]) {
        case (let list?, nil, nil, nil): users = try self.users(list, .subjects, .subject, line)
        case (nil, let list?, nil, nil): users = try self.users(list, .userIDs, .userID, line)
        case (nil, nil, let list?, nil): users = try self.users(list, .clients, .client, line)
        case (nil, nil, nil, let client?): users = [try user(client, .client, .client, line)]
        default:
            throw ErrorReply(.invalidRequest, "exactly one of 'subjects', 'user_ids' and 'clients' must be given")
        }
        return PrefetchRequest(users: users, tenant: try tenant(line), scopes: try scopes(line))
    }

    func invalidate(_ line: borrowing Span<UInt8>) throws(ErrorReply) -> InvalidateRequest {
        InvalidateRequest(key: try key(line), fingerprint: try fingerprint(line))
    }

    func entries(_ line: borrowing Span<UInt8>) throws(ErrorReply) -> EntriesRequest {
        var request = EntriesRequest(tenant: try tenant(line))
        request.order = try order(line)
        if let limit = members[.limit] {
            let largest = request.order == .nextRefresh ? Self.largestRefreshPage : Self.largestPage
            guard let number = JSONText.integer(of: limit, line, digits: 15), number >= 1, Double(number) <= largest
            else { throw Self.wrong(.limit, "an integer from 1 to \(Int(largest))") }
            request.limit = Int(number)
        }
        if let after = members[.after] { request.after = try text(after, .after, line) }
        return request
    }

    /// The order of a page of entries.
    ///
    /// The one of refreshes covers all tenants and has no further pages, because finding them would take a walk over the
    /// cache.
    private func order(_ line: borrowing Span<UInt8>) throws(ErrorReply) -> EntriesRequest.Order {
        guard let order = members[.order] else { return .place }
        guard JSONText.isEqual(order, "next_refresh", line) else { throw Self.wrong(.order, "\"next_refresh\"") }
        guard members[.after] == nil, members[.tenant] == nil else {
            throw ErrorReply(.invalidRequest, "'order' must be given without 'after' and 'tenant'")
        }
        return .nextRefresh
    }

    func logLevel(_ line: borrowing Span<UInt8>) throws(ErrorReply) -> LogLevelRequest {
        let levels = LogLevelRequest.Level.allCases.map(\.rawValue).joined(separator: ", ")
        guard let value = members[.level], value.isString,
            let level = LogLevelRequest.Level(rawValue: JSONText.string(of: value, line))
        else { throw Self.wrong(.level, "one of \(levels)") }
        guard let length = members[.for] else { return LogLevelRequest(level: level) }
        guard let seconds = JSONText.integer(of: length, line, digits: 15),
            (1...Self.longestLogLevel).contains(seconds)
        else { throw Self.wrong(.for, "an integer of seconds from 1 to \(Self.longestLogLevel)") }
        return LogLevelRequest(level: level, duration: .seconds(seconds))
    }

    func key(_ line: borrowing Span<UInt8>) throws(ErrorReply) -> KeyRequest {
        KeyRequest(user: try user(line), tenant: try tenant(line), scopes: try scopes(line))
    }

    func tenant(_ line: borrowing Span<UInt8>) throws(ErrorReply) -> String? {
        guard let tenant = members[.tenant] else { return nil }
        return try text(tenant, .tenant, line)
    }

    /// The trace of the request, or nil if there is none or its text is not valid.
    ///
    /// A text that some program in front of the app got wrong must not fail a page, so it is ignored.
    func trace(_ line: borrowing Span<UInt8>) throws(ErrorReply) -> TraceContext? {
        guard let value = members[.traceparent] else { return nil }
        switch value.kind {
        case .string: return TraceContext(line.extracting(value.start..<value.end))
        case .escapedString: return TraceContext(JSONText.bytes(of: value, line).span)
        default: throw Self.wrong(.traceparent, "a string")
        }
    }

    func minTTL(_ line: borrowing Span<UInt8>) throws(ErrorReply) -> Duration? {
        try seconds(.minTTL, upTo: Self.longestMinTTL, line)
    }

    func timeout(_ line: borrowing Span<UInt8>) throws(ErrorReply) -> Duration? {
        try seconds(.timeout, upTo: Self.longestTimeout, line)
    }

    // MARK: Parts

    private func user(_ line: borrowing Span<UInt8>) throws(ErrorReply) -> UserLookup {
        switch (members[.subject], members[.userID], members[.client]) {
        case (let subject?, nil, nil): return try user(subject, .subject, .subject, line)
        case (nil, let userID?, nil): return try user(userID, .userID, .userID, line)
        case (nil, nil, let client?): return try user(client, .client, .client, line)
        default:
            throw ErrorReply(.invalidRequest, "exactly one of 'subject', 'user_id' and 'client' must be given")
        }
    }

    private func user(
        _ value: JSONScanner.Value,
        _ name: RequestMembers.Name,
        _ field: LookupField,
        _ line: borrowing Span<UInt8>
    ) throws(ErrorReply) -> UserLookup {
        guard value.isString else { throw Self.wrong(name, Self.userRule) }
        let bytes = JSONText.bytes(of: value, line)
        guard (1...Self.longestUser).contains(bytes.count) else { throw Self.wrong(name, Self.userRule) }
        return UserLookup(field: field, value: bytes)
    }

    private func users(
        _ list: JSONScanner.Value,
        _ name: RequestMembers.Name,
        _ field: LookupField,
        _ line: borrowing Span<UInt8>
    ) throws(ErrorReply) -> [UserLookup] {
        let wrong = Self.wrong(
            name,
            "an array of 1 to \(Self.maxUsers) strings of 1 to \(Self.longestUser) bytes each"
        )
        guard list.kind == .array, let users = strings(in: list, line), !users.isEmpty,
            users.allSatisfy({ (1...Self.longestUser).contains($0.count) })
        else { throw wrong }
        return users.map { UserLookup(field: field, value: $0) }
    }

    /// The strings of an array, or nil if something else is in it or there are too many.
    private func strings(in list: JSONScanner.Value, _ line: borrowing Span<UInt8>) -> [[UInt8]]? {
        var strings: [[UInt8]] = []
        var scanner = JSONScanner(at: list.start + 1, depthLimit: JSONScanner.deepest)
        scanner.skipSpace(line)
        while scanner.position < list.end - 1 {
            // The line has been read before, so its parts are well-formed.
            guard let value = try? scanner.value(line, depth: 1), value.isString, strings.count < Self.maxUsers else {
                return nil
            }
            strings.append(JSONText.bytes(of: value, line))
            _ = scanner.comma(line)
        }
        return strings
    }

    /// The value of a member that is true or false, and false if it is missing.
    private func flag(_ name: RequestMembers.Name) throws(ErrorReply) -> Bool {
        switch members[name]?.kind {
        case .true: true
        case .false, nil: false
        default: throw Self.wrong(name, "true or false")
        }
    }

    /// The name or e-mail address of a user, or nil if it is missing.
    private func name(
        _ name: RequestMembers.Name,
        _ line: borrowing Span<UInt8>
    ) throws(ErrorReply) -> String? {
        guard let value = members[name] else { return nil }
        guard value.isString, let text = Self.name(JSONText.bytes(of: value, line)) else {
            throw Self.wrong(name, Self.nameRule)
        }
        return text
    }

    private func groups(_ line: borrowing Span<UInt8>) throws(ErrorReply) -> [String]? {
        guard let list = members[.groups] else { return nil }
        let wrong = Self.wrong(.groups, "an array of at most \(Self.maxGroups) strings, each \(Self.nameRule)")
        guard list.kind == .array, let values = strings(in: list, line), values.count <= Self.maxGroups else {
            throw wrong
        }
        var (groups, seen): ([String], Set<[UInt8]>) = ([], [])
        for value in values {
            guard let group = Self.name(value) else { throw wrong }
            if seen.insert(value).inserted { groups.append(group) }
        }
        return groups
    }

    /// The text of a name, or nil if its length or a character is not allowed.
    private static func name(_ bytes: [UInt8]) -> String? {
        guard (1...longestName).contains(bytes.count), bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            return nil
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func scopes(_ line: borrowing Span<UInt8>) throws(ErrorReply) -> ScopeSet? {
        guard let value = members[.scope] else { return nil }
        guard value.isString, let scopes = ScopeSet(JSONText.string(of: value, line)) else {
            throw Self.wrong(.scope, "a string of one or more scopes with spaces between them")
        }
        return scopes
    }

    private func seconds(
        _ name: RequestMembers.Name,
        upTo most: Double,
        _ line: borrowing Span<UInt8>
    ) throws(ErrorReply) -> Duration? {
        guard let value = members[name] else { return nil }
        guard value.kind == .number else { throw Self.wrong(name, "a number of seconds from 0 to \(Int(most))") }
        let seconds = JSONText.number(of: value, line)
        guard seconds >= 0, seconds <= most else {
            throw Self.wrong(name, "a number of seconds from 0 to \(Int(most))")
        }
        return .seconds(seconds)
    }

    private func fingerprint(_ line: borrowing Span<UInt8>) throws(ErrorReply) -> Fingerprint {
        switch (members[.accessToken], members[.tokenSHA256]) {
        case (let token?, nil):
            guard token.isString, token.start < token.end else { throw Self.wrong(.accessToken, "a string, not empty") }
            return Fingerprint(of: JSONText.secret(of: token, line))
        case (nil, let hash?): return try fingerprint(hash, .tokenSHA256, line)
        case (nil, nil), (.some, .some):
            throw ErrorReply(.invalidRequest, "exactly one of 'access_token' and 'token_sha256' must be given")
        }
    }

    private func fingerprint(
        _ hash: JSONScanner.Value,
        _ name: RequestMembers.Name,
        _ line: borrowing Span<UInt8>
    ) throws(ErrorReply) -> Fingerprint {
        guard hash.isString, let fingerprint = Fingerprint(hexadecimal: JSONText.bytes(of: hash, line)) else {
            throw Self.wrong(name, "64 hexadecimal digits")
        }
        return fingerprint
    }

    private func text(
        _ value: JSONScanner.Value,
        _ name: RequestMembers.Name,
        _ line: borrowing Span<UInt8>
    ) throws(ErrorReply) -> String {
        guard value.isString else { throw Self.wrong(name, "a string") }
        return JSONText.string(of: value, line)
    }

    private static var nameRule: String { "a string of 1 to \(longestName) bytes without control characters" }

    private static var userRule: String { "a string of 1 to \(longestUser) bytes" }

    private static func wrong(_ name: RequestMembers.Name, _ rule: String) -> ErrorReply {
        ErrorReply(.invalidRequest, "'\(name.text)' must be \(rule)")
    }
}
