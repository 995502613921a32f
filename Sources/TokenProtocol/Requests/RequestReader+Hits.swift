/// The fast path of requests for tokens.
extension RequestReader {
    /// A request for a token without escapes, or nil if the members have to be read in full.
    ///
    /// The id has been found to be valid.
    func plainToken(_ line: borrowing Span<UInt8>) -> PlainTokenRequest? {
        guard let operation = members[.op], operation.kind == .string, JSONText.isEqual(operation, "token", line),
            members[.noCache].map({ $0.kind == .false }) ?? true, members[.refusedTokenSHA256] == nil,
            members[.traceparent]?.isString ?? true,
            let tenant = plain(members[.tenant]), let scope = plain(members[.scope]), let id = plainID(line)
        else { return nil }
        var request = PlainTokenRequest()
        (request.tenant, request.scope, request.id) = (tenant, scope, id)
        switch (members[.subject], members[.userID], members[.client]) {
        case (let subject?, nil, nil): return complete(&request, .subject, subject, line)
        case (nil, let userID?, nil): return complete(&request, .userID, userID, line)
        case (nil, nil, let client?): return complete(&request, .client, client, line)
        default: return nil
        }
    }

    private func complete(
        _ request: inout PlainTokenRequest,
        _ field: LookupField,
        _ user: JSONScanner.Value,
        _ line: borrowing Span<UInt8>
    ) -> PlainTokenRequest? {
        guard let user = plain(user), (1...Self.longestUser).contains(user.count) else { return nil }
        (request.field, request.user) = (field, user)
        do throws(ErrorReply) {
            request.minTTL = try minTTL(line)
            _ = try timeout(line)
        } catch {
            return nil
        }
        return request
    }

    /// The range of a string without escapes, empty if there is no value.
    ///
    /// Returns nil for anything else.
    private func plain(_ value: JSONScanner.Value?) -> Range<Int>? {
        guard let value else { return 0..<0 }
        return value.kind == .string && value.start < value.end ? value.start..<value.end : nil
    }

    /// The range of the id's JSON text, empty if there is no id.
    ///
    /// Returns nil for a negative zero, which a reply carries without its sign.
    private func plainID(_ line: borrowing Span<UInt8>) -> Range<Int>? {
        guard let id = members[.id] else { return 0..<0 }
        guard !id.isString else { return (id.start - 1)..<(id.end + 1) }
        return line[id.start] == UInt8(ascii: "-") && line[id.start + 1] == UInt8(ascii: "0") ? nil : id.start..<id.end
    }
}
