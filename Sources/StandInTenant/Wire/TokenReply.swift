package import FoundationEssentials

/// The body of a reply with a token.
package struct TokenReply: Sendable {
    private let form: TokenForm
    private let grant: Grant
    private let now: Date

    /// A body of a form, for a grant that begins at a time.
    package init(_ form: TokenForm, _ grant: Grant, now: Date) {
        self.form = form
        self.grant = grant
        self.now = now
    }

    /// The bytes, with the form's damage.
    package var bytes: [UInt8] { form.damage?.bytes(of: json) ?? Array(json.utf8) }

    private var json: String {
        JSONText.object([
            "access_token": JSONText.string(grant.token),
            "access_token": form.damage == .duplicateMember ? #""another-token""# : nil,
            "token_type": JSONText.string(form.type),
            "scope": form.scope == .absent ? nil : JSONText.string(grant.scope),
            "expires_in": expiresIn,
            "expires_at": expiresAt.map(JSONText.string),
            "refresh_token": form.hasRefreshToken ? JSONText.string(grant.refreshToken) : nil,
            "nested": form.damage?.nestedArrays,
        ])
    }

    private var expiresIn: String? {
        switch form.expiresIn {
        case .absent: nil
        case .lifetime: "\(grant.lifetime)"
        case .lifetimeAsText: "\"\(grant.lifetime)\""
        case .literal(let literal): literal
        }
    }

    private var expiresAt: String? {
        switch form.expiresAt {
        case .absent: nil
        case .lifetime: now.addingTimeInterval(Double(grant.lifetime)).iso8601
        case .seconds(let seconds): now.addingTimeInterval(Double(seconds)).iso8601
        case .text(let text): text
        }
    }
}
