package import FoundationEssentials

/// Turns a behaviour into the steps of a connection.
package struct ReplyComposer: Sendable {
    private static let withheldBytes = 1_024  // About the length of a token's reply.
    private static let mebibyte = 1_048_576
    private static let floodPiece = 65_536  // Large enough to be fast, small enough to hold.
    private static let floodStart = Array(#"{"token_type":"bearer","expires_in":21600,"access_token":""#.utf8)

    private let behaviour: Behaviour
    /// The time by the tenant's clock.
    private let now: Date
    /// The result of the call, for a behaviour that mints.
    var grant: Grant?
    /// The call's number, for the `traceId`.
    var call = 1
    /// The targets of redirects.
    var locations: [Behaviour.Redirect: String] = [:]
    /// True if the client asked for the connection's end.
    var closes = false

    /// A composer of the reply to a call.
    package init(_ behaviour: Behaviour, now: Date) {
        self.behaviour = behaviour
        self.now = now
    }

    /// The steps.
    package var steps: [ReplyStep] {
        let reply = reply
        let steps: [ReplyStep] =
            switch behaviour.delivery {
            case .whole, .chunked: [.send(reply.head + reply.framedBody)] + flood
            case .slowHead(let pause):
                [.send(reply.statusLine), .wait(pause), .send(reply.headRest + reply.framedBody)]
            case .drip(let pause):
                [.send(reply.head)] + reply.framedBody.flatMap { byte in [.wait(pause), .send([byte])] }
            case .never: [.hang]
            case .neverAfterHead: [.send(reply.head), .hang]
            case .cut(let cut, let ending): Self.cut(reply, cut) + [ending == .reset ? .reset : .close]
            case .refuse(let duration): [.refuse(duration, closes: false)]
            }
        return steps + (closes ? [.close] : [])
    }

    private static func cut(_ reply: OutgoingReply, _ cut: Behaviour.Cut) -> [ReplyStep] {
        switch cut {
        case .beforeHead: []
        case .withinHead: [.send(reply.statusLine + reply.headRest.prefix(reply.headRest.count / 2))]
        case .afterHead: [.send(reply.head)]
        case .withinBody: [.send(reply.head + reply.framedBody.prefix(reply.framedBody.count / 2))]
        }
    }

    private var reply: OutgoingReply {
        var reply = OutgoingReply(behaviour.status)
        reply.fields = fields
        reply.body = body
        reply.closes = closes
        switch behaviour.delivery {
        case .chunked: reply.framing = .chunked
        // A head that announced an empty body would be a complete reply.
        case .neverAfterHead, .cut(.afterHead, _): reply.framing = .declared(Self.withheldBytes)
        default: break
        }
        if case .flood(let mebibytes, let declared) = behaviour.body {
            reply.framing = declared ? .declared(Self.floodStart.count + mebibytes * Self.mebibyte) : .chunked
        }
        return reply
    }

    private var fields: [(name: String, value: String)] {
        let retryAfter: String? =
            switch behaviour.retryAfter {
            case .text(let text): text
            case .date(let seconds): now.addingTimeInterval(Double(seconds)).httpDate
            case nil: nil
            }
        let fields: KeyValuePairs<String, String?> = [
            "date": behaviour.hasDate ? now.httpDate : nil, "content-type": behaviour.contentType,
            "retry-after": retryAfter, "location": behaviour.redirect.flatMap { locations[$0] },
        ]
        return fields.compactMap { name, value in value.map { value in (name, value) } }
    }

    private var body: [UInt8] {
        switch behaviour.body {
        case .token: grant.map { grant in TokenReply(behaviour.form, grant, now: now).bytes } ?? []
        case .tenantError(let code, let title, let detail): Array(tenantError(code, title, detail).utf8)
        case .oauthError(let error):
            Array(JSONText.object(["error": JSONText.string(error), "error_description": #""refused""#]).utf8)
        case .html: Array("<html><head><title>Bad gateway</title></head><body>nginx</body></html>".utf8)
        case .text(let text): Array(text.utf8)
        case .json(let text):
            behaviour.form.damage.map { damage in damage.bytes(of: damage.addingMembers(to: text)) } ?? Array(text.utf8)
        case .empty, .flood: []
        }
    }

    private func tenantError(_ code: String, _ title: String, _ detail: String) -> String {
        let error = JSONText.object([
            "code": JSONText.string(code), "title": JSONText.string(title), "detail": JSONText.string(detail),
            "status": "\"\(behaviour.status)\"",
        ])
        let digits = String(call, radix: 16)
        let trace = String(repeating: "0", count: max(0, 32 - digits.count)) + digits
        return JSONText.object(["errors": JSONText.array([error]), "traceId": "\"\(trace)\""])
    }

    private var flood: [ReplyStep] {
        guard case .flood(let mebibytes, let declared) = behaviour.body else { return [] }
        let piece = [UInt8](repeating: UInt8(ascii: "a"), count: Self.floodPiece)
        let frame = { (bytes: [UInt8]) in ReplyStep.send(declared ? bytes : OutgoingReply.chunk(bytes[...])) }
        let pieces = repeatElement(frame(piece), count: mebibytes * (Self.mebibyte / Self.floodPiece))
        return [frame(Self.floodStart)] + pieces + (declared ? [] : [.send(OutgoingReply.lastChunk)])
    }
}
