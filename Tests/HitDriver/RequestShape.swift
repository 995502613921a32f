/// The shapes in which clients write a request for a token.
///
/// The raw value is the name in the file of bounds.
public enum RequestShape: String, CaseIterable, Sendable {
    /// The usual request of a client library.
    case integerID = "integer-id"
    /// The same with the spaces that some JSON encoders write.
    case spaced
    /// A request whose id is a string.
    case stringID = "string-id"
    /// A request without an id.
    case withoutID = "without-id"
    /// A request for a tenant and scopes, with a `min_ttl`.
    case full
    /// A request with a name that is not ASCII.
    case nonASCII = "non-ascii"
    /// A request in a trace, which the general parser reads.
    case traced

    private static let user = "auth0|user-1234"
    private static let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    /// The line of a request, without its end.
    ///
    /// - Parameter number: The number of the request, from which its id is made.
    func line(_ number: Int) -> String {
        switch self {
        case .integerID: #"{"id":\#(number),"op":"token","subject":"\#(Self.user)"}"#
        case .spaced: #"{"id": \#(number), "op": "token", "subject": "\#(Self.user)"}"#
        case .stringID: #"{"id":"request-\#(number)","op":"token","subject":"\#(Self.user)"}"#
        case .withoutID: #"{"op":"token","subject":"\#(Self.user)"}"#
        case .full:
            #"{"id":\#(number),"op":"token","subject":"\#(Self.user)","#
                + #""tenant":"analytics","scope":"user_default","min_ttl":300}"#
        case .nonASCII: #"{"id":\#(number),"op":"token","subject":"auth0|Jürgen Groß"}"#
        case .traced:
            #"{"id":\#(number),"op":"token","subject":"\#(Self.user)","traceparent":"\#(Self.traceparent)"}"#
        }
    }
}
