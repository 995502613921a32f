/// A call that has no reply yet.
struct OpenCall: Sendable {
    /// The kind of its reply.
    enum Plan: Sendable {
        case mint(Behaviour, StandInTenant.MintKey)  // A behaviour that may mint.
        case revoke(String)
        case reply(Behaviour)  // A behaviour that doesn't mint.
    }

    var plan: Plan
    /// The behaviour's text, for the list of requests.
    var text: String
    /// The wait before its reply, in place of the stand-in's setting.
    var latency: Duration?
    /// The subject or user id that it names.
    var value: String?
    /// True if the client asked for the connection's end after it.
    var closes = false
}
