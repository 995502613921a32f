import Foundation
import Secrets
import TokenProtocol

/// Fuzzes one line of a client: the fast path of hits and the parser understand the same, and an accepted line is JSON
/// with the meaning that was read.
func fuzzRequests(_ line: [UInt8]) throws(BrokenPromise) {
    for isAdmin in [false, true] {
        let parser = RequestParser(isAdmin: isAdmin)
        var output = OutputBuffer()
        let parsed = parser.parse(line.span, hit: { _, _, _, _, _, _, _ in false }, into: &output)
        try check(output.isEmpty, "only a hit is answered by the parser")
        try checkFastPath(parser, line, parsed)
        try checkMeaning(parsed, line)
    }
}

/// The arguments of a lookup.
private struct Lookup: Equatable {
    var field: LookupField
    var user: [UInt8]
    var tenant: [UInt8]
    var scope: ScopeSet?
    var minTTL: Duration?
}

private let reply = TokenReply(
    token: EncodedToken(onHeap: AccessToken("abc"), scope: "s", expiresAt: "2026-11-23T22:10:00Z"),
    expiresIn: 7,
    source: .cache
)

private func bytes(_ span: borrowing Span<UInt8>) -> [UInt8] {
    unsafe span.withUnsafeBufferPointer { unsafe Array($0) }
}

private func checkFastPath(
    _ parser: RequestParser,
    _ line: [UInt8],
    _ parsed: RequestParser.Line
) throws(BrokenPromise) {
    var lookup: Lookup?
    var output = OutputBuffer()
    let lookUp: HitLookup = { field, user, tenant, scope, minTTL, id, output in
        let scopes = ScopeSet(String(decoding: bytes(scope), as: UTF8.self))
        // No entry has invalid scopes.
        guard scope.isEmpty || scopes != nil else { return false }
        lookup = Lookup(field: field, user: bytes(user), tenant: bytes(tenant), scope: scopes, minTTL: minTTL)
        ReplyEncoder.encode(reply, id: id, into: &output)
        return true
    }
    let fast = parser.parse(line.span, hit: lookUp, into: &output)
    guard let lookup else { return try check(fast == parsed, "without a hit both paths have the same result") }
    guard case .hit = fast, case .request(let request) = parsed, case .token(let token) = request.operation
    else {
        return try check(false, "only requests for tokens are looked up")
    }
    let meant = Lookup(
        field: token.key.user.field,
        user: token.key.user.value,
        tenant: Array((token.key.tenant ?? "").utf8),
        scope: token.key.scopes,
        minTTL: token.minTTL
    )
    try check(lookup == meant && !token.noCache, "both paths mean the same token")
    var expected = OutputBuffer()
    ReplyEncoder.encode(.token(reply), id: request.id, into: &expected)
    let (sent, meantToBeSent) = unsafe (output.drain { unsafe Array($0) }, expected.drain { unsafe Array($0) })
    try check(sent == meantToBeSent, "both paths answer in the same way")
}

/// Checks that Foundation reads the same from a line that was accepted.
private func checkMeaning(_ line: RequestParser.Line, _ bytes: [UInt8]) throws(BrokenPromise) {
    guard case .request(let request) = line else { return }
    guard let found = try? JSONSerialization.jsonObject(with: Data(bytes)) else {
        // Foundation rejects a number that is too large, although it is valid JSON.
        return try check(
            bytes.contains(UInt8(ascii: "e")) || bytes.contains(UInt8(ascii: "E")),
            "an accepted line is JSON"
        )
    }
    guard let members = found as? [String: Any] else { return try check(false, "a request is an object") }
    try check(members["op"] as? String == request.operation.name.rawValue, "the operation is what 'op' says")
    if case .integer(let number)? = request.id {
        try check((members["id"] as? NSNumber)?.int64Value == number, "the id is the line's")
    }
    let trace = (members["traceparent"] as? String).flatMap { TraceContext(Array($0.utf8).span) }
    let isInTrace = [.token, .prefetch, .revoke, .provision].contains(request.operation.name)
    try check(request.trace == (isInTrace ? trace : nil), "the trace is the line's")
    switch request.operation {
    case .token(let token):
        try checkMeaning(token.key, members)
        try check((members["no_cache"] as? Bool ?? false) == token.noCache, "no_cache is the line's")
        let refused = (members["refused_token_sha256"] as? String).flatMap { Fingerprint(hexadecimal: Array($0.utf8)) }
        try check(refused == token.refused, "refused_token_sha256 is the line's")
        let minTTL = (members["min_ttl"] as? NSNumber).map { Duration.seconds($0.doubleValue) }
        try check(minTTL == token.minTTL, "min_ttl is the line's")
    case .revoke(let key, let everywhere):
        try checkMeaning(key, members)
        try check((members["everywhere"] as? Bool ?? false) == everywhere, "everywhere is the line's")
    case .provision(let provision): try checkMeaning(provision, members)
    case .evict(let key), .explain(let key): try checkMeaning(key, members)
    case .invalidate(let invalidate): try checkMeaning(invalidate.key, members)
    case .prefetch(let prefetch):
        let list = (members["subjects"] ?? members["user_ids"] ?? members["clients"]) as? [String]
        let users = list ?? (members["client"] as? String).map { [$0] }
        try check(users?.map { Array($0.utf8) } == prefetch.users.map(\.value), "the users are the line's")
    case .entries(let entries):
        let isByRefresh = members["order"] as? String == "next_refresh"
        try check(isByRefresh == (entries.order == .nextRefresh), "order is the line's")
        try check(members["limit"].map { ($0 as? NSNumber)?.intValue == entries.limit } ?? true, "limit is the line's")
    case .flush(let tenant), .releaseHold(let tenant):
        let named = (members["tenant"] as? String).map { Array($0.utf8) }
        try check(named == tenant.map { Array($0.utf8) }, "the tenant is the line's")
    case .logLevel(let request):
        try check(members["level"] as? String == request.level.rawValue, "the level is the line's")
        let seconds = (members["for"] as? NSNumber).map { Duration.seconds($0.intValue) }
        try check(seconds == request.duration, "for is the line's")
    default: break
    }
}

private func checkMeaning(_ request: ProvisionRequest, _ members: [String: Any]) throws(BrokenPromise) {
    let user = KeyRequest(user: request.user, tenant: request.tenant, scopes: nil)
    var members = members
    members["scope"] = nil
    try checkMeaning(user, members)
    try check(
        (members["name"] as? String).map { Array($0.utf8) } == request.name.map { Array($0.utf8) },
        "the name is the line's"
    )
    try check(
        (members["email"] as? String).map { Array($0.utf8) } == request.email.map { Array($0.utf8) },
        "the e-mail address is the line's"
    )
    let groups = (members["groups"] as? [String]).map { Set($0.map { Array($0.utf8) }) }
    try check(groups == request.groups.map { Set($0.map { Array($0.utf8) }) }, "the groups are the line's")
}

private func checkMeaning(_ key: KeyRequest, _ members: [String: Any]) throws(BrokenPromise) {
    let user = members[key.user.field.memberName] as? String
    try check(user.map { Array($0.utf8) } == key.user.value, "the user is the line's")
    try check(
        (members["tenant"] as? String)?.utf8.map(\.self) == key.tenant?.utf8.map(\.self),
        "the tenant is the line's"
    )
    let scopes = (members["scope"] as? String).flatMap { ScopeSet($0) }
    try check(scopes == key.scopes, "the scopes are the line's")
}
