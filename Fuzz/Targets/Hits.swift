import TokenProtocol

/// Fuzzes what a client sends: the scanner of plain requests for tokens ends a line where the general parser does and
/// reads the same from it, or declines it.
func fuzzHits(_ chunk: [UInt8]) throws(BrokenPromise) {
    var start = 0
    while let end = chunk[start...].firstIndex(of: UInt8(ascii: "\n")) {
        try checkLine(chunk, start..<end)
        start = end + 1
    }
    var request = PlainTokenRequest()
    let next = PlainTokenScanner.read(chunk.span, from: start, into: &request)
    try check(next == nil, "a line whose end was not read is declined")
}

private func checkLine(_ chunk: [UInt8], _ range: Range<Int>) throws(BrokenPromise) {
    var plain = PlainTokenRequest()
    guard let next = PlainTokenScanner.read(chunk.span, from: range.lowerBound, into: &plain) else { return }
    try check(next == range.upperBound + 1, "a line ends at its first line feed")
    var line = Array(chunk[range])
    if line.last == UInt8(ascii: "\r") { line.removeLast() }
    try check(line.count <= ProtocolLimits.longestLine, "a line that is too long is declined")
    let scopes = ScopeSet(String(decoding: chunk[plain.scope], as: UTF8.self))
    // Invalid scopes are looked up in vain, as no entry has them. Then the line is parsed in full.
    guard plain.scope.isEmpty || scopes != nil else { return }
    for isAdmin in [false, true] {
        var output = OutputBuffer()
        let parser = RequestParser(isAdmin: isAdmin)
        let parsed = parser.parse(line.span, answering: .none, hit: { _, _, _, _, _, _, _ in false }, into: &output)
        guard case .request(let request) = parsed, case .token(let token) = request.operation else {
            throw BrokenPromise(promise: "only a valid request for a token is plain")
        }
        try checkParts(plain, chunk, request.id, token)
        try check(token.key.scopes == scopes, "both read the same scopes")
        try check(request.trace == nil, "a request in a trace is declined")
    }
}

private func checkParts(
    _ plain: PlainTokenRequest,
    _ chunk: [UInt8],
    _ id: RequestID?,
    _ token: TokenRequest
) throws(BrokenPromise) {
    let user = UserLookup(field: plain.field, value: Array(chunk[plain.user]))
    try check(user == token.key.user, "both read the same user")
    try check(plain.tenant.isEmpty == (token.key.tenant == nil), "both read a tenant or none")
    try check(Array(chunk[plain.tenant]) == Array((token.key.tenant ?? "").utf8), "both read the same tenant")
    try check(plain.minTTL == token.minTTL, "both read the same min_ttl")
    try check(Array(chunk[plain.id]) == (id?.json ?? []), "a reply carries the same id")
    let usual = TokenRequest(key: token.key, minTTL: token.minTTL)
    try check(token == usual, "a request with any other option is declined")
}
