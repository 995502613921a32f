package import Secrets

/// A token as it is sealed in the engine.
package struct EngineToken: Sendable, Equatable {
    package var token: AccessToken
    /// The scopes that the tenant has granted.
    package var scope: String
    /// The whole lifetime in milliseconds.
    package var lifetime: Int64
    /// The identity, from which a logout knows what it has taken out.
    package var id: EngineTokenID

    /// Creates a token.
    package init(token: AccessToken, scope: String, lifetime: Int64, id: EngineTokenID) {
        self.token = token
        self.scope = scope
        self.lifetime = lifetime
        self.id = id
    }
}

extension TenantKeys {
    /// The version of the forms of plain values.
    ///
    /// Others are not read.
    static let plainVersion: UInt8 = 1

    /// Seals a token.
    package func seal(_ token: EngineToken, _ context: SealContext) -> [UInt8]? {
        let lengths =
            token.token.bytes.count + token.scope.utf8.count + token.id.user.count + token.id.scopes.utf8.count
        var plain = PlainWriter(capacity: 64 + lengths)
        plain.append(Self.plainVersion)
        plain.append(token.lifetime)
        plain.append(token.scope.utf8)
        plain.append(token.id)
        plain.append(token.token.bytes)
        return seal(plain, context)
    }

    /// Opens a token, or returns nil if it isn't one of this fleet's, or not one for this place.
    ///
    /// - Parameters:
    ///   - number: The number of the key under whose names it was found, or nil to try all.
    ///   - memory: The memory for the token, or nil for the heap.
    package func openToken(
        _ sealed: [UInt8],
        _ context: SealContext,
        key number: Int? = nil,
        in memory: SecretMemory? = nil
    ) -> EngineToken? {
        guard
            var plain = open(sealed, context, key: number, in: memory),
            plain.number() == Self.plainVersion,
            let lifetime = plain.number(Int64.self), lifetime >= 0,
            let scope = plain.text(),
            let id = plain.tokenID(),
            let token = plain.secret(in: memory), token.count > 0,
            plain.isAtEnd
        else { return nil }
        return EngineToken(token: AccessToken(token), scope: scope, lifetime: lifetime, id: id)
    }
}

extension PlainWriter {
    /// Appends a token's identity.
    mutating func append(_ id: EngineTokenID) {
        append(id.field)
        append(id.user)
        append(id.scopes.utf8)
    }
}

extension PlainReader {
    /// Reads a token's identity.
    mutating func tokenID() -> EngineTokenID? {
        guard let field = number(UInt8.self), let user = array(), let scopes = text() else { return nil }
        return EngineTokenID(field: field, user: user, scopes: scopes)
    }
}
