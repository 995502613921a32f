/// Finds a token that can be served at once, straight from a request's bytes.
///
/// Nearly all requests are hits. Answered here, they never become a ``Request``, so nothing is copied from the line and
/// nothing is allocated. If anything about the request or the token is unusual, the lookup returns false, and the
/// request is parsed in full.
///
/// - Parameters:
///   - field: The field by which the user is named.
///   - user: The user's name, 1 to 1,024 bytes.
///   - tenant: The tenant's name in the request, empty if it names none.
///   - scope: The scopes in the request, empty if it names none.
///   - minTTL: The time that the token must have left, or nil for the configured preference.
///   - id: The JSON text of the request's id, empty if it has none.
///   - output: The reply and its line end are appended to it, or nothing if the lookup returns false.
/// - Returns: True if the request was answered.
package typealias HitLookup = (
    _ field: LookupField,
    _ user: borrowing Span<UInt8>,
    _ tenant: borrowing Span<UInt8>,
    _ scope: borrowing Span<UInt8>,
    _ minTTL: Duration?,
    _ id: borrowing Span<UInt8>,
    _ output: inout OutputBuffer
) -> Bool
