/// A step of a connection for a reply.
///
/// A reply is bytes and pauses rather than an HTTP message, so that it can express every misbehaviour of a server.
/// After the last step the connection is ready for the next request, unless that step ended it.
package enum ReplyStep: Sendable, Equatable {
    case send([UInt8])  // The next step follows when they are written.
    case wait(Duration)
    case hang  // The connection stays open for ever.
    case reset  // The connection ends by RST.
    case close  // The connection ends by FIN, after TLS's own end if there is TLS.
    case refuse(Duration, closes: Bool)  // All connections end by RST, this one by FIN if so, and new ones are refused.
}
