/// Something about the stand-in that can be changed while it runs.
package enum Setting: Sendable {
    /// What it does for everyone of whom nothing else is said.
    case behaviour(Script)
    /// What it does for one subject or user id.
    case valueBehaviour(String, Script)
    /// What it does with the next calls, one play a call, whoever asks.
    case nextCalls(Script)
    /// How the revocation endpoint answers: the usual reply revokes, any other is played instead.
    case revocation(Script)
    /// How long each reply waits.
    case latency(Duration)
    /// How long a token of the usual reply lives; whole seconds.
    case lifetime(Duration)
    /// How long a token is, in bytes.
    case tokenBytes(Int)
    /// The client's public keys.
    case keys(ClientKeys)
    /// The secrets that are accepted.
    case secrets(ClientSecrets)
    /// The limit on calls, or none.
    case rateLimit(StandInTenant.RateLimit?)
}
