import SafeText

/// The texts that many tokens share.
///
/// They are kept once, in a record of their own, which each of the tokens refers to.
package struct TokenClass: Sendable, Equatable {
    /// The tenant's name in the configuration.
    package var tenant: String
    /// The tenant's host.
    package var host: String
    /// The ID of the client that asked for the tokens.
    package var clientID: String
    /// The requested scopes, sorted and joined by single spaces, or empty for all.
    package var scopes: String
    /// The granted scopes as the tenant wrote them.
    package var grantedScope: String

    /// Creates a class.
    package init(tenant: String, host: String, clientID: String, scopes: String, grantedScope: String) {
        self.tenant = tenant
        self.host = host
        self.clientID = clientID
        self.scopes = scopes
        self.grantedScope = grantedScope
    }

    /// The texts as they are written to a record, each after its length.
    var encoded: [UInt8] {
        let texts = [tenant, host, clientID, scopes, grantedScope, Self.escaped(grantedScope)]
        var bytes: [UInt8] = []
        for text in texts {
            let count = UInt32(text.utf8.count)
            for shift in stride(from: UInt32(0), to: 32, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: count >> shift))
            }
        }
        for text in texts { bytes.append(contentsOf: text.utf8) }
        return bytes
    }

    /// Returns a text as it is written between the quotes of a JSON string.
    private static func escaped(_ text: String) -> String {
        text.isPlainJSON ? text : String(text.jsonQuoted.dropFirst().dropLast())
    }
}
