/// Finds a token that can be served at once, straight from a request's bytes.
///
/// Nearly all requests are hits. Answered here, they never become a ``Request``, so nothing is copied from the line and
/// nothing is allocated. If anything about the request or the token is unusual, the lookup returns nil, and the
/// request is parsed in full.
///
/// - Parameters:
///   - field: The field by which the user is named.
///   - user: The user's name, 1 to 1,024 bytes.
///   - tenant: The tenant's name in the request, empty if it names none.
///   - scope: The scopes in the request, empty if it names none.
///   - minTTL: The time that the token must have left, or nil for the configured preference.
/// - Returns: The reply to the request.
package typealias HitLookup = (
    _ field: LookupField,
    _ user: borrowing Span<UInt8>,
    _ tenant: borrowing Span<UInt8>,
    _ scope: borrowing Span<UInt8>,
    _ minTTL: Duration?
) -> TokenReply?
