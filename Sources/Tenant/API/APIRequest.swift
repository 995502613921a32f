import NIOCore
import NIOHTTP1
import Secrets
import TokenCache

/// Builds the requests of the tenant's API.
enum APIRequest {
    /// The path of the users.
    static let users = "/api/v1/users"
    /// The path of the users' tokens.
    static let tokens = "/api/v1/oauth-tokens"
    /// The largest page of a list, in elements.
    private static let pageSize = 100
    /// All states that a user can be in: without them the tenant leaves some users out.
    private static let allStatuses = ["active", "invited", "disabled", "deleted"]

    /// Builds the request of a call.
    static func make(_ call: APICall, bearer: AccessToken) -> TenantRequest {
        var request =
            switch call {
            case .findUsers(let subject, let page): get(page ?? firstPage(ofUsersWith: subject))
            case .createUser(let user): TenantRequest(method: .POST, target: users, body: body(user))
            case .changeGroups(let user, let change):
                TenantRequest(method: .PATCH, target: "\(users)/\(user.percentEncoded)", body: body(change))
            case .listTokens(let user, let page): get(page ?? firstPage(ofTokensOf: user))
            case .revokeToken(let token): TenantRequest(method: .DELETE, target: "\(tokens)/\(token.percentEncoded)")
            }
        request.bearer = bearer
        if case .createUser = call { request.isRepeatable = false }
        request.largestReply = CallHandler.largestReply
        return request
    }

    private static func get(_ target: String) -> TenantRequest { TenantRequest(method: .GET, target: target) }

    // MARK: Lists

    private static func firstPage(ofUsersWith subject: [UInt8]) -> String {
        let statuses = allStatuses.map { "status eq \"\($0)\"" }.joined(separator: " or ")
        let filter = Array("(subject eq \"".utf8) + subject.escapedForFilter + Array("\") and (\(statuses))".utf8)
        return "\(users)?filter=\(filter.percentEncoded)&limit=\(pageSize)"
    }

    private static func firstPage(ofTokensOf user: String) -> String {
        "\(tokens)?userId=\(user.percentEncoded)&limit=\(pageSize)"
    }

    // MARK: Bodies

    private static func body(_ user: NewUser) -> ByteBuffer {
        var body = JSONBody()
        body.member("subject", user.subject)
        if let name = user.name { body.member("name", name.utf8) }
        if let email = user.email { body.member("email", email.utf8) }
        body.member("status", "active".utf8)
        return body.finish()
    }

    private static func body(_ change: GroupChange) -> ByteBuffer {
        var body = JSONBody(.array)
        switch change {
        case .edit(let adding, let removing):
            let added = adding.map { TenantUser.Group(name: $0, providerType: "custom") }
            if !added.isEmpty { operation("add", added, &body) }
            if !removing.isEmpty { operation("remove-value", removing, &body) }
        case .replace(let groups): operation("replace", groups, &body)
        }
        return body.finish()
    }

    private static func operation(_ name: String, _ groups: [TenantUser.Group], _ body: inout JSONBody) {
        body.element { operation in
            operation.member("op", name.utf8)
            operation.member("path", "/assignedGroups".utf8)
            operation.array("value") { value in
                for group in groups { value.element { Self.group(group, &$0) } }
            }
        }
    }

    private static func group(_ group: TenantUser.Group, _ body: inout JSONBody) {
        body.member("name", group.name.utf8)
        if let type = group.providerType { body.member("providerType", type.utf8) }
    }
}
