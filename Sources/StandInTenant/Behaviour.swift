/// What the stand-in does with one call: the reply, and how it goes over the wire.
package struct Behaviour: Sendable, Equatable {
    /// What the reply's body is made of.
    package enum Body: Sendable, Equatable {
        /// A token.
        case token(TokenForm)
        /// An error in the tenant's own form.
        case tenantError(code: String, title: String, detail: String)
        /// An error in the form of RFC 6749, section 5.2.
        case oauthError(String)
        /// A page as a proxy shows it.
        case html
        /// A text, as it stands.
        case text(String)
        /// Nothing.
        case empty
        /// A token that doesn't end for that many MiB; declared in `content-length`, or chunked.
        case flood(mebibytes: Int, declared: Bool)
    }

    /// How the reply goes over the wire.
    package enum Delivery: Sendable, Equatable {
        /// At once.
        case whole
        /// In chunks (RFC 9112, section 7.1).
        case chunked
        /// The status line at once, the rest after a while.
        case slowHead(Duration)
        /// The head at once, the body byte by byte with a pause before each.
        case drip(Duration)
        /// Not a byte, and the connection stays open.
        case never
        /// The head, then nothing, and the connection stays open.
        case neverAfterHead
        /// The connection ends too early.
        case cut(Cut, Ending)
        /// The connection is reset, and for a while no other is accepted.
        case refuse(Duration)
    }

    /// How far a reply gets that is cut off.
    package enum Cut: String, Sendable, CaseIterable {
        /// Not a byte of it.
        case beforeHead = "before"
        /// Into the header fields.
        case withinHead = "within-head"
        /// To the end of the head.
        case afterHead = "after-head"
        /// Into the body.
        case withinBody = "within-body"
    }

    /// How a connection ends.
    package enum Ending: String, Sendable, CaseIterable {
        /// By RST.
        case reset
        /// By FIN.
        case close
    }

    /// What `Retry-After` says (RFC 9110, section 10.2.3).
    package enum RetryAfter: Sendable, Equatable {
        /// A text, as it stands.
        case text(String)
        /// The date that many seconds from now.
        case date(Int)
    }

    /// Where `Location` points.
    package enum Redirect: String, Sendable, CaseIterable {
        /// Another path of the tenant.
        case same
        /// Another server.
        case other
    }

    /// The status.
    package var status = 200
    /// The body.
    package var body = Body.token(TokenForm())
    /// The value of `content-type`; nothing: no such field.
    package var contentType: String? = "application/json"
    /// The value of `retry-after`.
    package var retryAfter: RetryAfter?
    /// The value of `location`.
    package var redirect: Redirect?
    /// Whether there is a `date`.
    package var hasDate = true
    /// How many seconds the tenant's clock is ahead of the machine's.
    package var clockOffset = 0
    /// How it goes over the wire.
    package var delivery = Delivery.whole

    /// The tenant's usual reply.
    package init() {}

    /// A reply with a token that differs from the usual one.
    package static func token(_ change: (inout TokenForm) -> Void) -> Behaviour {
        var form = TokenForm()
        change(&form)
        var behaviour = Behaviour()
        behaviour.body = .token(form)
        return behaviour
    }

    /// A reply with another body.
    package static func reply(_ status: Int, _ body: Body, contentType: String? = "application/json") -> Behaviour {
        var behaviour = Behaviour()
        behaviour.status = status
        behaviour.body = body
        behaviour.contentType = contentType
        return behaviour
    }

    /// An error in the tenant's own form.
    package static func refusal(_ status: Int, _ code: String, _ title: String, _ detail: String = "") -> Behaviour {
        reply(status, .tenantError(code: code, title: title, detail: detail))
    }

    /// The same behaviour, going over the wire in another way.
    package func delivered(_ delivery: Delivery) -> Behaviour {
        var behaviour = self
        behaviour.delivery = delivery
        return behaviour
    }

    /// The same behaviour with a `retry-after`.
    package func retry(after: RetryAfter?) -> Behaviour {
        var behaviour = self
        behaviour.retryAfter = after
        return behaviour
    }

    /// The token's form, where some of a token gets onto the wire: that is what counts as a mint.
    package var mintedForm: TokenForm? {
        guard case .token(let form) = body else { return nil }
        return switch delivery {
        case .whole, .chunked, .slowHead, .drip, .cut(.withinBody, _): form
        case .never, .neverAfterHead, .cut, .refuse: nil
        }
    }
}
