/// The members of a request that creates a user.
struct NewUser: Sendable, Equatable {
    var subject: String
    var name: String?
    var email: String?
    var isInvited = false
}
