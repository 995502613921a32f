import NIOCore
import SafeText
import Secrets
import TokenProtocol

/// The bodies of the requests to a tenant.
enum GrantRequest {
    /// Who asks, and the proof of it.
    enum Client {
        /// A client's id and its secret.
        case secret(String, ClientSecret)
        /// A signed assertion, which names the client.
        case assertion([UInt8])
    }

    /// The body of a request for an impersonation token.
    static func mint(
        _ user: UserLookup,
        scopes: ScopeSet,
        as client: Client
    ) -> ByteBuffer {
        var body = JSONBody()
        switch client {
        case .secret(let id, let secret):
            body.member("client_id", id.utf8)
            body.member("client_secret", secret)
        case .assertion(let assertion):
            body.member("client_assertion_type", ClientAssertion.type.utf8)
            body.member("client_assertion", assertion)
        }
        body.member("grant_type", "urn:qlik:oauth:user-impersonation".utf8)
        body.object("user_lookup") { lookup in
            lookup.member("field", (user.field == .subject ? "subject" : "userId").utf8)
            lookup.member("value", user.value)
        }
        body.member("scope", scopes.text.utf8)
        return body.finish()
    }

    /// The body of a revocation (RFC 7009, as JSON).
    static func revoke(_ token: AccessToken) -> ByteBuffer {
        var body = JSONBody()
        unsafe token.bytes.withUnsafeBytes { unsafe body.member("token", $0) }
        body.member("token_type_hint", "access_token".utf8)
        return body.finish()
    }
}

/// Writes one flat JSON object into a buffer that can be overwritten afterwards.
private struct JSONBody {
    private var buffer = ByteBuffer()
    private var needsComma = false

    /// Room for an ordinary request: a buffer that grows leaves a copy of the secret behind.
    private static let room = 8_192

    init() {
        buffer.reserveCapacity(Self.room)
        buffer.writeInteger(UInt8(ascii: "{"))
    }

    mutating func member(_ name: String, _ value: some Sequence<UInt8>) {
        self.name(name)
        string(value)
    }

    mutating func member(_ name: String, _ secret: ClientSecret) {
        unsafe secret.bytes.withUnsafeBytes { unsafe member(name, $0) }
    }

    mutating func object(_ name: String, _ members: (inout JSONBody) -> Void) {
        self.name(name)
        buffer.writeInteger(UInt8(ascii: "{"))
        needsComma = false
        members(&self)
        buffer.writeInteger(UInt8(ascii: "}"))
        needsComma = true
    }

    mutating func finish() -> ByteBuffer {
        buffer.writeInteger(UInt8(ascii: "}"))
        return buffer
    }

    private mutating func name(_ name: String) {
        if needsComma { buffer.writeInteger(UInt8(ascii: ",")) }
        needsComma = true
        string(name.utf8)
        buffer.writeInteger(UInt8(ascii: ":"))
    }

    private mutating func string(_ bytes: some Sequence<UInt8>) {
        buffer.writeInteger(UInt8(ascii: "\""))
        for byte in bytes {
            if let escape = byte.jsonEscape { buffer.writeString(escape) } else { buffer.writeInteger(byte) }
        }
        buffer.writeInteger(UInt8(ascii: "\""))
    }
}

extension ByteBuffer {
    /// Overwrites the bytes where nobody else holds the buffer; where the connection still does, it can't.
    mutating func wipe() {
        _ = unsafe withUnsafeMutableReadableBytes { unsafe $0.initializeMemory(as: UInt8.self, repeating: 0) }
        clear()
    }
}
