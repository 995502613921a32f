import Secrets

@testable import TokenCache

/// A token that the model remembers for the whole run.
final class ModelToken {
    let fingerprint: Fingerprint
    /// The key, which is another one after another daemon has restored the token.
    var key: ModelKey
    /// The generation of its key.
    var generation: Int
    let sent: Instant
    let lifetime: Duration
    /// True if its user has logged out since it was requested.
    ///
    /// Then nobody may get it.
    var isRevoked = false
    /// True if something other than time has dropped it.
    ///
    /// Then no later daemon may restore it.
    var isDropped = false

    init(_ token: AccessToken, _ call: ModelCall, _ key: ModelKey, sent: Instant, lifetime: Duration) {
        fingerprint = token.fingerprint
        self.key = key
        generation = call.generation
        self.sent = sent
        self.lifetime = min(lifetime, .seconds(86_400))
    }

    var expiry: Instant { sent + lifetime }

    func left(at now: Instant) -> Duration { expiry - now }
}
