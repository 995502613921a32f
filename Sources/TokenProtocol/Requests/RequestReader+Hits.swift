/// The fast path of requests for tokens.
extension RequestReader {
    /// The reply to a request for a token in its usual form, or nil if the line has to be parsed in full.
    func plainToken(_ line: borrowing Span<UInt8>, _ hit: HitLookup) -> TokenReply? {
        guard let operation = members[.op], operation.kind == .string, JSONText.isEqual(operation, "token", line),
            members[.noCache].map({ $0.kind == .false }) ?? true, members[.refusedTokenSHA256] == nil,
            members[.traceparent]?.isString ?? true,
            let tenant = plain(members[.tenant]), let scope = plain(members[.scope])
        else { return nil }
        switch (members[.subject], members[.userID], members[.client]) {
        case (let subject?, nil, nil): return plainToken(line, .subject, subject, tenant, scope, hit)
        case (nil, let userID?, nil): return plainToken(line, .userID, userID, tenant, scope, hit)
        case (nil, nil, let client?): return plainToken(line, .client, client, tenant, scope, hit)
        default: return nil
        }
    }

    private func plainToken(
        _ line: borrowing Span<UInt8>,
        _ field: LookupField,
        _ user: JSONScanner.Value,
        _ tenant: Range<Int>,
        _ scope: Range<Int>,
        _ hit: HitLookup
    ) -> TokenReply? {
        guard let user = plain(user), (1...Self.longestUser).contains(user.count) else { return nil }
        var minTTL: Duration?
        do throws(ErrorReply) {
            minTTL = try self.minTTL(line)
            _ = try timeout(line)
        } catch {
            return nil
        }
        return hit(field, line.extracting(user), line.extracting(tenant), line.extracting(scope), minTTL)
    }

    /// The range of a string without escapes, empty if there is no value.
    ///
    /// Returns nil for anything else.
    private func plain(_ value: JSONScanner.Value?) -> Range<Int>? {
        guard let value else { return 0..<0 }
        return value.kind == .string && value.start < value.end ? value.start..<value.end : nil
    }
}
