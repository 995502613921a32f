/// Finds a token that can be served at once, straight from a request's bytes.
///
/// A hit is what the daemon does all day. Answered here, it never becomes a ``Request``: nothing is copied out of the
/// line, and nothing is allocated. Whatever is unusual about a request, or about the token, gets nil, and the request
/// then goes the long way, which answers every case.
///
/// - Parameters:
///   - field: How the user is named.
///   - user: The user's name, 1 to 1,024 bytes.
///   - tenant: The tenant's name as the request gives it; empty: it names none.
///   - scope: The scopes as the request gives them; empty: it names none.
///   - minTTL: What must be left; nil: the configured preference.
/// - Returns: A token that is to be answered with as it is.
package typealias HitLookup = (
    _ field: LookupField,
    _ user: borrowing Span<UInt8>,
    _ tenant: borrowing Span<UInt8>,
    _ scope: borrowing Span<UInt8>,
    _ minTTL: Duration?
) -> TokenReply?
