/// A request for a token in its plain form, as ranges of the bytes that were read.
///
/// Nearly every request is one. It has the members by which a cached token is found, without escapes in their values.
package struct PlainTokenRequest: Sendable, Equatable {
    /// The field by which the user is named.
    package var field = LookupField.subject
    /// The user's name, 1 to 1,024 bytes.
    package var user = 0..<0
    /// The tenant's name, empty if the request names none.
    package var tenant = 0..<0
    /// The scopes, empty if the request names none.
    package var scope = 0..<0
    /// The id as JSON text, with the quotes of a string, empty if the request has none.
    package var id = 0..<0
    /// The time that the token must have left, or nil for the configured preference.
    package var minTTL: Duration?

    /// Creates a request without members.
    package init() {}

    /// Answers the request if its token is found.
    ///
    /// - Parameter bytes: The bytes that the ranges refer to.
    @inline(__always)
    func answer(_ bytes: borrowing Span<UInt8>, _ hit: HitLookup, into output: inout OutputBuffer) -> Bool {
        unsafe hit(
            field,
            bytes.extracting(unchecked: user),
            bytes.extracting(unchecked: tenant),
            bytes.extracting(unchecked: scope),
            minTTL,
            bytes.extracting(unchecked: id),
            &output
        )
    }
}
