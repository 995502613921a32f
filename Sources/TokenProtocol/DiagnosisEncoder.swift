/// Writes what operators are told of the daemon's health and of a key.
enum DiagnosisEncoder {
    static func write(_ health: HealthReply, _ writer: inout JSONWriter, _ output: inout OutputBuffer) {
        writer.member("status", health.status.rawValue, &output)
        writer.member("checks", health.checks, &output) { check, output in
            JSONWriter.object(into: &output) { writer, output in write(check, &writer, &output) }
        }
    }

    private static func write(_ check: HealthReply.Check, _ writer: inout JSONWriter, _ output: inout OutputBuffer) {
        writer.member("check", check.name, &output)
        if let tenant = check.tenant { writer.member("tenant", tenant, &output) }
        writer.member("status", check.status.rawValue, &output)
        if let description = check.description { writer.member("description", description, &output) }
        if let since = check.since { writer.member("since", since, &output) }
    }

    static func write(_ explain: ExplainReply, _ writer: inout JSONWriter, _ output: inout OutputBuffer) {
        writer.member("state", explain.state.rawValue, &output)
        writer.member("source", explain.source.rawValue, &output)
        writer.member("reason", explain.reason, &output)
        if let token = explain.token { write(token, &writer, &output) }
        writer.optional("next_refresh", explain.refresh, &output) { refresh, writer, output in
            writer.optional("in", refresh.seconds, &output)
            writer.member("cause", refresh.cause.rawValue, &output)
        }
        writer.optional("last_error", explain.lastError, &output) { error, writer, output in
            ReplyEncoder.write(error, &writer, &output)
        }
        writer.optional("backoff", explain.backoff, &output)
        writer.member("circuit", explain.tenant.circuit, &output)
        writer.member("client", explain.tenant.client, &output)
        writer.optional("hold", explain.tenant.hold, &output)
        writer.member("wait", explain.tenant.wait, &output)
    }

    private static func write(_ token: ExplainReply.Token, _ writer: inout JSONWriter, _ output: inout OutputBuffer) {
        writer.member("expires_in", token.expiresIn, &output)
        writer.member("expires_at", token.expiresAt, &output)
        writer.member("age", token.age, &output)
        if let lastUsed = token.lastUsed { writer.member("last_used", lastUsed, &output) }
        writer.member("fingerprint", token.fingerprint, &output)
    }
}
