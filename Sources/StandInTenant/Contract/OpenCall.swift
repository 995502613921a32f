/// A call that has no reply yet.
struct OpenCall: Sendable {
    /// The kind of its reply.
    enum Plan: Sendable {
        case mint(Behaviour, MintRequest)  // A behaviour that may mint.
        case revoke(String)
        case perform(Behaviour, APIRequest, Bearer)  // A behaviour with which the API may do what is asked.
        case reply(Behaviour)  // A behaviour that doesn't mint.
    }

    var plan: Plan
    /// The behaviour's text, for the list of requests.
    var text: String
    /// The wait before its reply, in place of the stand-in's setting.
    var latency: Duration?
    /// The subject, user id, client id or token id that it names.
    var value: String?
    /// The operation of the API, if it is one.
    var operation: StandInTenant.Operation?
    /// True if the client asked for the connection's end after it.
    var closes = false
}
