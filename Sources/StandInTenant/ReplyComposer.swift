/// Turns a behaviour into what a connection does.
package struct ReplyComposer: Sendable {
    /// What a redirect points to, by where it leads.
    package struct Destinations: Sendable, Equatable {
        /// The tenant's own address.
        package var same: String
        /// The other server's.
        package var other: String

        /// Names both, each as scheme and authority.
        package init(same: String, other: String) {
            self.same = same
            self.other = other
        }
    }

    private static let withheldBytes = 1_024  // About what a token reply has.
    private static let floodPiece = 65_536  // 16 of them are a MiB; large enough to be fast, small enough to hold.

    /// What to do.
    package var behaviour: Behaviour
    /// The machine's time.
    package var now: WallTime
    /// A name for the call, for the tenant's `traceId`.
    package var trace: String
    /// Where redirects lead.
    package var destinations: Destinations
    /// Whether the client asked for the connection's end.
    package var closes: Bool

    /// Names all of it.
    package init(
        _ behaviour: Behaviour,
        now: WallTime,
        trace: String,
        destinations: Destinations,
        closes: Bool = false
    ) {
        self.behaviour = behaviour
        self.now = now
        self.trace = trace
        self.destinations = destinations
        self.closes = closes
    }

    /// The steps, with the grant where the behaviour is one that mints.
    package func script(_ grant: Grant?) -> ReplyScript {
        let reply = reply(grant)
        let steps: [ReplyScript.Step] =
            switch behaviour.delivery {
            case .whole, .chunked: [.send(reply.head + reply.framedBody)] + flood
            case .slowHead(let pause):
                [.send(reply.statusLine), .wait(pause), .send(reply.headRest + reply.framedBody)]
            case .drip(let pause): [.send(reply.head), .drip(reply.framedBody, pause: pause)]
            case .never: [.hang]
            case .neverAfterHead: [.send(reply.head), .hang]
            case .cut(let cut, let ending): Self.steps(reply, cut, ending)
            case .refuse(let duration): [.refuse(duration)]
            }
        return ReplyScript(steps + (closes ? [.close] : []))
    }

    private static func steps(
        _ reply: OutgoingReply,
        _ cut: Behaviour.Cut,
        _ ending: Behaviour.Ending
    ) -> [ReplyScript.Step] {
        let body = reply.framedBody
        let sent: [UInt8] =
            switch cut {
            case .beforeHead: []
            case .withinHead: reply.statusLine + reply.headRest.prefix(reply.headRest.count / 2)
            case .afterHead: reply.head
            case .withinBody: reply.head + body.prefix(body.count / 2)
            }
        let end: ReplyScript.Step = ending == .reset ? .reset : .close
        return sent.isEmpty ? [end] : [.send(sent), end]
    }
}

extension ReplyComposer {
    /// The tenant's clock, which may be off.
    private var tenantTime: WallTime {
        now.adding(seconds: behaviour.clockOffset)
    }

    private func reply(_ grant: Grant?) -> OutgoingReply {
        var reply = OutgoingReply(behaviour.status)
        reply.fields = fields
        reply.body = body(grant)
        reply.closes = closes
        switch behaviour.delivery {
        case .chunked: reply.framing = .chunked
        // A head that announces nothing would be a whole reply.
        case .neverAfterHead, .cut(.afterHead, _): reply.framing = .declared(Self.withheldBytes)
        default: break
        }
        if case .flood(let mebibytes, let declared) = behaviour.body {
            reply.framing = declared ? .declared(Self.floodStart.count + mebibytes * 1_048_576) : .chunked
            reply.body = []
        }
        return reply
    }

    private var fields: [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        if behaviour.hasDate { fields.append(("date", tenantTime.httpDate)) }
        if let type = behaviour.contentType { fields.append(("content-type", type)) }
        switch behaviour.retryAfter {
        case .text(let text): fields.append(("retry-after", text))
        case .date(let seconds): fields.append(("retry-after", tenantTime.adding(seconds: seconds).httpDate))
        case nil: break
        }
        switch behaviour.redirect {
        case .same: fields.append(("location", destinations.same + Route.movedPath))
        case .other: fields.append(("location", destinations.other + Route.tokenPath))
        case nil: break
        }
        return fields
    }

    private func body(_ grant: Grant?) -> [UInt8] {
        switch behaviour.body {
        case .token(let form): grant.map { grant in TokenReply(form, grant, now: tenantTime).bytes } ?? []
        case .tenantError(let code, let title, let detail): Array(error(code, title, detail).encoded.utf8)
        case .oauthError(let error): Array(Self.oauthError(error).encoded.utf8)
        case .html: Array("<html><head><title>Bad gateway</title></head><body>nginx</body></html>".utf8)
        case .text(let text): Array(text.utf8)
        case .empty, .flood: []
        }
    }

    private func error(_ code: String, _ title: String, _ detail: String) -> JSONValue {
        let error = JSONValue.members([
            "code": .string(code), "title": .string(title), "detail": .string(detail),
            "status": .string(String(behaviour.status)),
        ])
        return .members(["errors": .array([error]), "traceId": .string(trace)])
    }

    private static func oauthError(_ error: String) -> JSONValue {
        .members(["error": .string(error), "error_description": .string("the request was refused")])
    }

    private static let floodStart = Array(#"{"token_type":"bearer","expires_in":21600,"access_token":""#.utf8)

    private var flood: [ReplyScript.Step] {
        guard case .flood(let mebibytes, let declared) = behaviour.body else { return [] }
        let piece = [UInt8](repeating: UInt8(ascii: "a"), count: Self.floodPiece)
        let times = mebibytes * (1_048_576 / Self.floodPiece)
        return declared
            ? [.send(Self.floodStart), .flood(piece, times: times)]
            : [
                .send(OutgoingReply.chunk(Self.floodStart[...])),
                .flood(OutgoingReply.chunk(piece[...]), times: times),
                .send(Array("0\r\n\r\n".utf8)),
            ]
    }
}
