/// The stand-in's answer to one call: the reply, and its way over the wire.
package struct Behaviour: Sendable, Equatable {
    /// The content of a body.
    package enum Body: Sendable, Equatable {
        case token  // In the behaviour's form.
        case tenantError(code: String, title: String, detail: String)  // In the tenant's own form.
        case oauthError(String)  // In the form of RFC 6749, section 5.2.
        case html  // A proxy's error page.
        case text(String)
        case json(String)  // The result of an operation of the API, with the damage of the form.
        case empty
        case flood(mebibytes: Int, declared: Bool)  // A huge token, with its length declared or chunked.
    }

    /// The way of a reply over the wire.
    package enum Delivery: Sendable, Equatable {
        case whole
        case chunked  // RFC 9112, section 7.1.
        case slowHead(Duration)  // The status line at once, the rest after a pause.
        case drip(Duration)  // The head at once, then the body byte by byte with a pause before each.
        case never  // No byte, and the connection stays open.
        case neverAfterHead  // The head and nothing more, and the connection stays open.
        case cut(Cut, Ending)  // A part, then the end of the connection.
        case refuse(Duration)  // No byte: all connections are reset, and new ones refused for a while.
    }

    /// The point at which a reply is cut off.
    package enum Cut: String, Sendable, CaseIterable {
        case beforeHead = "before"
        case withinHead = "within-head"
        case afterHead = "after-head"
        case withinBody = "within-body"
    }

    /// The way in which a connection ends.
    package enum Ending: String, Sendable, CaseIterable {
        case reset  // By RST.
        case close  // By FIN.
    }

    /// The value of `retry-after` (RFC 9110, section 10.2.3).
    package enum RetryAfter: Sendable, Equatable {
        case text(String)
        case date(Int)  // That many seconds ahead.
    }

    /// The target of `location`.
    package enum Redirect: String, Sendable, CaseIterable {
        case same  // Another path of the tenant.
        case other  // Another server.
    }

    /// The effect of an operation of the API on the tenant's users.
    package enum Effect: Sendable, Equatable {
        case done  // The operation is done, whatever the reply is.
        case faster  // Another client creates the user first.
        case invited  // A user is created as invited.
        case half  // Only the first half of a patch is done.
        case replaceOnly  // A patch may only replace.
    }

    package var status = 200
    package var body = Body.token
    package var form = TokenForm()
    package var contentType: String? = "application/json"
    package var retryAfter: RetryAfter?
    package var redirect: Redirect?
    package var hasDate = true
    /// The seconds by which the tenant's clock is ahead.
    package var clockOffset = 0
    package var delivery = Delivery.whole
    package var effect: Effect?

    /// The tenant's usual reply.
    package init() {}

    /// A reply with another body than a token.
    package init(_ status: Int, _ body: Body, contentType: String? = "application/json") {
        self.status = status
        self.body = body
        self.contentType = contentType
    }

    /// An error in the tenant's own form, by default with a code and a title made of the status.
    static func error(_ status: Int, _ code: String? = nil, _ title: String? = nil, _ detail: String = "") -> Behaviour
    {
        let (code, title) = (code ?? "OAUTH-\(status)", title ?? "Status \(status)")
        return Behaviour(status, .tenantError(code: code, title: title, detail: detail))
    }

    /// Returns the behaviour with one property changed.
    package func with<Value>(_ property: WritableKeyPath<Behaviour, Value>, _ value: Value) -> Behaviour {
        var behaviour = self
        behaviour[keyPath: property] = value
        return behaviour
    }

    /// True if an operation of the API with this behaviour is done.
    var performs: Bool { effect == .done || effect == .half || mints }

    /// True if some of a token reaches the wire, which counts as a mint.
    var mints: Bool {
        guard body == .token else { return false }
        return switch delivery {
        case .whole, .chunked, .slowHead, .drip, .cut(.withinBody, _): true
        case .never, .neverAfterHead, .cut, .refuse: false
        }
    }
}
