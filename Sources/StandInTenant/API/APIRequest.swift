/// A request of the API that keeps to the contract.
enum APIRequest: Sendable, Equatable {
    case listUsers(UserFilter?, PageRequest)
    case createUser(NewUser)
    case readUser(id: String)
    case changeUser(id: String, UserPatch)
    case listGroups(PageRequest)
    case listTokens(userID: String, PageRequest)
    case deleteToken(id: String)

    /// The user or the token that the request is about, by which replies are held.
    var value: String? {
        switch self {
        case .listUsers(let filter, _): filter?.firstValue
        case .createUser(let user): user.subject
        case .readUser(let id), .changeUser(let id, _), .listTokens(let id, _), .deleteToken(let id): id
        case .listGroups: nil
        }
    }
}
