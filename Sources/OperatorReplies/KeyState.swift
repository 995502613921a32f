/// The state of a key, by its token and by its calls to the tenant.
package struct KeyState: OpenName {
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }

    /// There is a token, and it is served.
    package static var fresh: KeyState { "fresh" }
    /// There is a token, it is served, and the next request starts its refresh.
    package static var due: KeyState { "due" }
    /// There is a token, and it is served while a new one is minted.
    package static var refreshing: KeyState { "refreshing" }
    /// There is a token that expires too soon, so the next request waits for a new one.
    package static var expiring: KeyState { "expiring" }
    /// There is no token, and one is being minted.
    package static var minting: KeyState { "minting" }
    /// There is no token, and the tenant has recently denied one to the user.
    package static var denied: KeyState { "refused" }
    /// There is no token, and minting has just failed.
    package static var failing: KeyState { "failing" }
    /// Nothing is known of the key.
    package static var absent: KeyState { "absent" }
}
