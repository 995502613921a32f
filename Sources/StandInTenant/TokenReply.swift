/// The body of a reply with a token.
package struct TokenReply: Sendable {
    private let form: TokenForm
    private let grant: Grant
    private let now: WallTime

    /// A body of a form, for a grant that begins at a time.
    package init(_ form: TokenForm, _ grant: Grant, now: WallTime) {
        self.form = form
        self.grant = grant
        self.now = now
    }

    /// The bytes, damaged where the form says so.
    package var bytes: [UInt8] {
        let text = Array(JSONValue.object(members).encoded.utf8)
        return switch form.damage {
        case .truncated: Array(text.prefix(text.count / 2))
        case .byteOrderMark: [0xEF, 0xBB, 0xBF] + text
        case .invalidUTF8: Self.inserting([0xC3, 0x28], into: text)
        default: text
        }
    }

    /// The same JSON with a member more, whose value is a string of the given bytes.
    private static func inserting(_ bytes: [UInt8], into text: [UInt8]) -> [UInt8] {
        Array(text.dropLast()) + Array(#","note":""#.utf8) + bytes + Array("\"}".utf8)
    }

    private var members: [JSONValue.Member] {
        var members: [JSONValue.Member] = []
        func add(_ name: String, _ value: JSONValue?) {
            if let value { members.append(JSONValue.Member(name: name, value: value)) }
        }
        add("access_token", .string(grant.token))
        if form.damage == .duplicateMember { add("access_token", .string("another-token")) }
        add("token_type", .string(form.type))
        add("scope", scope)
        add("expires_in", expiresIn)
        add("expires_at", expiresAt)
        if form.hasRefreshToken { add("refresh_token", .string(grant.refreshToken)) }
        if case .nestedArrays(let depth) = form.damage {
            add("nested", .number(String(repeating: "[", count: depth) + String(repeating: "]", count: depth)))
        }
        return members
    }

    private var scope: JSONValue? {
        switch form.scope {
        case .absent: nil
        case .asked: .string(grant.scope)
        case .other(let scope): .string(scope)
        }
    }

    private var expiresIn: JSONValue? {
        switch form.expiresIn {
        case .absent: nil
        case .life: .integer(grant.lifetime)
        case .seconds(let seconds): .integer(seconds)
        case .lifeAsText: .string(String(grant.lifetime))
        case .literal(let literal): .number(literal)
        }
    }

    private var expiresAt: JSONValue? {
        switch form.expiresAt {
        case .absent: nil
        case .life: .string(now.adding(seconds: grant.lifetime).iso8601)
        case .seconds(let seconds): .string(now.adding(seconds: seconds).iso8601)
        case .text(let text): .string(text)
        }
    }
}
