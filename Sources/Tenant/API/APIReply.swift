import TokenCache
import TokenProtocol

/// Reads a reply of the tenant's API: a pure function of the call, status, headers and body.
///
/// Members that are not needed are not looked at. A list with one element that can't be understood is malformed as a
/// whole: a user who isn't seen would be created once more, and a group that isn't seen would be lost.
struct APIReply {
    /// The longest id, in bytes.
    private static let longestID = 256
    /// The longest status of a user, in bytes.
    private static let longestStatus = 32

    let reply: TenantReply
    /// The tenant, whose links are followed.
    let tenant: Endpoint

    /// Returns the outcome of a call.
    func outcome(of call: APICall, _ body: borrowing Span<UInt8>) -> APIOutcome {
        do throws(Malformed) {
            switch (call, reply.status) {
            case (.findUsers, 200):
                let page = try page(body, APIRequest.users, Self.user)
                return .users(page.elements, next: page.next)
            case (.createUser, 200), (.createUser, 201): return .created(try Self.user(try Self.object(body), body))
            case (.changeGroups, 204), (.revokeToken, 204): return .done
            case (.changeGroups, 200), (.revokeToken, 200):
                // A page of some proxy is no answer of the tenant.
                if !body.isEmpty { _ = try Self.object(body) }
                return .done
            case (.listTokens(let userID, _), 200):
                let page = try page(body, APIRequest.tokens) { token, body throws(Malformed) in
                    try Self.tokenID(token, of: userID, body)
                }
                return .tokens(page.elements, next: page.next)
            default: return reply.fault.map(APIOutcome.failed) ?? .refused(reply.upstream(body))
            }
        } catch {
            return .failed(.malformed(error.reason))
        }
    }

    /// The reply can't be understood.
    private struct Malformed: Error {
        /// A sentence without any part of the reply.
        let reason: String
    }

    private static func object(_ body: borrowing Span<UInt8>) throws(Malformed) -> JSONObject {
        guard let object = JSONObject(body, depthLimit: TenantReply.depthLimit) else {
            throw Malformed(reason: "the tenant's answer is not one JSON object")
        }
        return object
    }

    // MARK: Lists

    private func page<Element>(
        _ body: borrowing Span<UInt8>,
        _ path: String,
        _ read: (JSONObject, borrowing Span<UInt8>) throws(Malformed) -> Element
    ) throws(Malformed) -> (elements: [Element], next: String?) {
        let object = try Self.object(body)
        guard let data = object["data"], let values = JSONObject.elements(of: data, body) else {
            throw Malformed(reason: "the tenant's answer has no list")
        }
        var elements: [Element] = []
        for value in values {
            guard let element = JSONObject(value, body) else {
                throw Malformed(reason: "an element of the tenant's list is not one JSON object")
            }
            elements.append(try read(element, body))
        }
        return (elements, try next(object, path, body))
    }

    /// The target of the next page, or nil if there is none.
    private func next(
        _ object: JSONObject,
        _ path: String,
        _ body: borrowing Span<UInt8>
    ) throws(Malformed) -> String? {
        guard let link = object.member("links", body)?.member("next", body)?["href"], link.kind != .null else {
            return nil
        }
        guard let text = TenantReply.text(link, body) else {
            throw Malformed(reason: "the tenant's link to the next page is not text")
        }
        if text.isEmpty { return nil }
        guard let target = PageLink.target(text, at: tenant, path: path) else {
            throw Malformed(reason: "the tenant's link to the next page leads elsewhere")
        }
        return target
    }

    // MARK: Elements

    private static func user(_ user: JSONObject, _ body: borrowing Span<UInt8>) throws(Malformed) -> TenantUser {
        guard let id = id(user["id"], body), let subject = user["subject"], subject.isString,
            let status = TenantReply.text(user["status"], body), isStatus(status)
        else {
            throw Malformed(
                reason: """
                    a user in the tenant's answer has no usable id, subject or status: a client without the scope \
                    admin.users or admin_classic doesn't see them
                    """
            )
        }
        return TenantUser(
            id: id,
            subject: JSONText.bytes(of: subject, body),
            status: status,
            groups: try groups(user["assignedGroups"], body)
        )
    }

    private static func groups(
        _ value: JSONScanner.Value?,
        _ body: borrowing Span<UInt8>
    ) throws(Malformed) -> [TenantUser.Group] {
        guard let value, value.kind != .null else { return [] }
        guard let elements = JSONObject.elements(of: value, body) else {
            throw Malformed(reason: "a user's groups in the tenant's answer are no list")
        }
        var groups: [TenantUser.Group] = []
        for element in elements {
            guard let group = JSONObject(element, body), let name = TenantReply.text(group["name"], body) else {
                throw Malformed(reason: "a user's group in the tenant's answer has no name")
            }
            let type = TenantReply.text(group["providerType"], body)
            groups.append(TenantUser.Group(id: TenantReply.text(group["id"], body), name: name, providerType: type))
        }
        return groups
    }

    /// The id of a token, which must be the user's if its owner is named.
    private static func tokenID(
        _ token: JSONObject,
        of userID: String,
        _ body: borrowing Span<UInt8>
    ) throws(Malformed) -> String {
        guard let id = id(token["id"], body) else {
            throw Malformed(reason: "a token in the tenant's answer has no usable id")
        }
        if let owner = token["userId"], TenantReply.text(owner, body)?.utf8.elementsEqual(userID.utf8) != true {
            throw Malformed(reason: "a token in the tenant's answer is another user's")
        }
        return id
    }

    /// An id that can be a part of a path, or nil for any other value.
    ///
    /// A server may take the paths `.` and `..` for others.
    private static func id(_ value: JSONScanner.Value?, _ body: borrowing Span<UInt8>) -> String? {
        guard let id = TenantReply.text(value, body), (1...longestID).contains(id.utf8.count), id != ".", id != "..",
            id.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return nil }
        return id
    }

    private static func isStatus(_ text: String) -> Bool {
        (1...longestStatus).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x61...0x7A).contains($0 | 0x20) || $0 == UInt8(ascii: "_") }
    }
}

extension JSONObject {
    /// A member that is an object, or nil for any other value.
    fileprivate func member(_ name: String, _ text: borrowing Span<UInt8>) -> JSONObject? {
        self[name].flatMap { JSONObject($0, text) }
    }
}
