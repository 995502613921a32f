import OperatorReplies

/// Writes replies as lines.
package enum ReplyEncoder {
    /// Appends a reply and its line end.
    package static func encode(_ reply: Reply, id: RequestID?, into output: inout OutputBuffer) {
        if case .token(let token) = reply { return encode(token, id: id, into: &output) }
        JSONWriter.object(into: &output) { writer, output in
            if let id { write(id, &writer, &output) }
            write(reply, &writer, &output)
        }
        output.append(UInt8(ascii: "\n"))
    }

    /// Appends the value of an `id`.
    static func append(_ id: RequestID, _ output: inout OutputBuffer) {
        switch id {
        case .integer(let number): output.append(Int(number))
        case .text(let json): output.append(json)
        }
    }

    private static func write(_ id: RequestID, _ writer: inout JSONWriter, _ output: inout OutputBuffer) {
        writer.name("id", &output)
        append(id, &output)
    }

    private static func write(_ reply: Reply, _ writer: inout JSONWriter, _ output: inout OutputBuffer) {
        switch reply {
        case .token: break
        case .prefetch(let queued, let cached, let refused):
            writer.member("queued", queued, &output)
            writer.member("cached", cached, &output)
            if refused > 0 { writer.member("refused", refused, &output) }
        case .invalidated(let isDropped, let retryAfter):
            writer.member("invalidated", isDropped, &output)
            if let retryAfter { writer.member("retry_after", retryAfter, &output) }
        case .revoked(let isDropped, let upstream):
            writer.member("revoked", isDropped, &output)
            if upstream == false { writer.member("upstream", false, &output) }
        case .revokedEverywhere(let isDropped, let upstream, let count):
            writer.member("revoked", isDropped, &output)
            if upstream == false { writer.member("upstream", false, &output) }
            writer.member("upstream_revoked", count, &output)
        case .provisioned(let reply): write(reply, &writer, &output)
        case .hello(let hello): write(hello, &writer, &output)
        case .stats(let stats): writer.members(of: stats, &output)
        case .entries(let page): write(page, &writer, &output)
        case .evicted: writer.member("evicted", true, &output)
        case .flushed(let count): writer.member("flushed", count, &output)
        case .holdsReleased(let count): writer.member("released", count, &output)
        case .reloaded: writer.member("reloaded", true, &output)
        case .logLevel(let level, let seconds):
            writer.member("level", level.rawValue, &output)
            if let seconds { writer.member("for", seconds, &output) }
        case .health(let health): writer.members(of: health, &output)
        case .metrics(let metrics):
            writer.member("content_type", metrics.contentType, &output)
            writer.name("body", &output)
            output.append(metrics.body)
        case .explained(let explain): writer.members(of: explain, &output)
        case .error(let error): write(error, &writer, &output)
        }
    }

    private static func write(_ error: ErrorReply, _ writer: inout JSONWriter, _ output: inout OutputBuffer) {
        writer.member("error", error.code.rawValue, &output)
        writer.member("error_description", error.description, &output)
        if let retryAfter = error.retryAfter { writer.member("retry_after", retryAfter, &output) }
        if let upstream = error.upstream {
            writer.member("upstream", &output) { writer, output in
                writer.member("status", upstream.status, &output)
                if let code = upstream.code { writer.member("code", code, &output) }
                if let title = upstream.title { writer.member("title", title, &output) }
            }
        } else if let cause = error.cause {
            writer.member("upstream", &output) { writer, output in writer.member("code", cause, &output) }
        }
    }

    private static func write(_ reply: ProvisionReply, _ writer: inout JSONWriter, _ output: inout OutputBuffer) {
        writer.member("user_id", reply.userID, &output)
        writer.member("status", reply.status, &output)
        writer.member("created", reply.isCreated, &output)
        writer.member("groups_changed", reply.hasChangedGroups, &output)
        if reply.isFromCache { writer.member("source", "cache", &output) }
    }

    private static func write(_ hello: HelloReply, _ writer: inout JSONWriter, _ output: inout OutputBuffer) {
        writer.member("server", "tokencached", &output)
        writer.member("version", hello.version, &output)
        writer.member("protocol", ProtocolLimits.version, &output)
        writer.member("ops", hello.operations, &output) { $1.append(string: $0.rawValue) }
        writer.member("tenants", hello.tenants, &output) { $1.append(string: $0) }
        if !hello.clients.isEmpty { writer.member("clients", hello.clients, &output) { $1.append(string: $0) } }
        if let fleet = hello.fleet {
            writer.member("fleet", &output) { writer, output in
                writer.member("connected", fleet.isConnected, &output)
                if let since = fleet.since { writer.member("since", since, &output) }
                writer.member("machines", fleet.machines, &output)
            }
        }
        writer.member("max_line", ProtocolLimits.longestLine, &output)
    }

    private static func write(_ page: EntriesReply, _ writer: inout JSONWriter, _ output: inout OutputBuffer) {
        writer.member("entries", page.entries, &output) { entry, output in
            JSONWriter.object(into: &output) { writer, output in write(entry, &writer, &output) }
        }
        if let next = page.next { writer.member("next", next, &output) }
    }

    private static func write(_ entry: EntriesReply.Entry, _ writer: inout JSONWriter, _ output: inout OutputBuffer) {
        writer.member("tenant", entry.tenant, &output)
        writer.name(entry.user.field.memberName, &output)
        output.append(string: entry.user.value)
        writer.member("scope", entry.scopes.text, &output)
        writer.member("state", entry.state.rawValue, &output)
        writer.member("age", entry.age, &output)
        writer.member("expires_in", entry.expiresIn, &output)
        writer.member("expires_at", entry.expiresAt, &output)
        if let lastUsed = entry.lastUsed { writer.member("last_used", lastUsed, &output) }
        writer.member("next_refresh", entry.nextRefresh, &output)
        writer.member("fingerprint", entry.fingerprint, &output)
    }
}
