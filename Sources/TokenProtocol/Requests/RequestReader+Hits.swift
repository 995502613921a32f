/// The fast path of requests for tokens.
extension RequestReader {
    /// Answers a request for a token in its usual form.
    ///
    /// Returns false if the line has to be parsed in full.
    func answerPlainToken(
        _ line: borrowing Span<UInt8>,
        _ id: RequestID?,
        _ hit: HitLookup,
        into output: inout OutputBuffer
    ) -> Bool {
        guard let operation = members[.op], operation.kind == .string, JSONText.isEqual(operation, "token", line),
            members[.noCache].map({ $0.kind == .false }) ?? true, members[.refusedTokenSHA256] == nil,
            members[.traceparent]?.isString ?? true,
            let tenant = plain(members[.tenant]), let scope = plain(members[.scope])
        else { return false }
        switch (members[.subject], members[.userID], members[.client]) {
        case (let subject?, nil, nil): return answer(line, id, .subject, subject, tenant, scope, hit, &output)
        case (nil, let userID?, nil): return answer(line, id, .userID, userID, tenant, scope, hit, &output)
        case (nil, nil, let client?): return answer(line, id, .client, client, tenant, scope, hit, &output)
        default: return false
        }
    }

    private func answer(
        _ line: borrowing Span<UInt8>,
        _ id: RequestID?,
        _ field: LookupField,
        _ user: JSONScanner.Value,
        _ tenant: Range<Int>,
        _ scope: Range<Int>,
        _ hit: HitLookup,
        _ output: inout OutputBuffer
    ) -> Bool {
        guard let user = plain(user), (1...Self.longestUser).contains(user.count) else { return false }
        var minTTL: Duration?
        do throws(ErrorReply) {
            minTTL = try self.minTTL(line)
            _ = try timeout(line)
        } catch {
            return false
        }
        let id = id?.json ?? []
        return hit(
            field,
            line.extracting(user),
            line.extracting(tenant),
            line.extracting(scope),
            minTTL,
            id.span,
            &output
        )
    }

    /// The range of a string without escapes, empty if there is no value.
    ///
    /// Returns nil for anything else.
    private func plain(_ value: JSONScanner.Value?) -> Range<Int>? {
        guard let value else { return 0..<0 }
        return value.kind == .string && value.start < value.end ? value.start..<value.end : nil
    }
}
