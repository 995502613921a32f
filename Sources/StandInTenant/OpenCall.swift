/// A call that has no reply yet.
struct OpenCall: Sendable {
    /// What its reply will be.
    enum Plan: Sendable {
        /// A play of a script, for a key.
        case play(Script.Play, StandInTenant.MintKey)
        /// A revocation of a token.
        case revocation(String)
        /// A reply that mints nothing, whatever it is.
        case reply(Behaviour)
    }

    /// What its reply will be.
    var plan: Plan
    /// The subject or user id that it names.
    var value: String?
    /// Whether the client asked for the connection's end after it.
    var closes: Bool
}
