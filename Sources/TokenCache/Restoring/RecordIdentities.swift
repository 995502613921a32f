import TokenProtocol
import TokenStorage

/// The identities of the records of one slice, each read once for all records of its class.
struct RecordIdentities {
    /// The texts of a class as the cache knows them.
    struct Identity {
        /// The tenant's name in the configuration.
        let tenant: String
        /// The host and the client that the token was minted under.
        ///
        /// It must not be served under another.
        let origin: TenantPolicy.Identity
        let scopes: ScopeSet
    }

    private var known: [RecordID: Identity?] = [:]

    /// Returns the identity of a record, or nil if its scopes are invalid.
    mutating func identity(of record: TokenRecord, in records: TokenRecords) -> Identity? {
        if let known = known[record.classID] { return known }
        let identity = Self.read(records[class: record.classID].tokenClass)
        known[record.classID] = .some(identity)
        return identity
    }

    private static func read(_ texts: TokenClass) -> Identity? {
        guard let scopes = texts.scopes.isEmpty ? .all : ScopeSet(texts.scopes) else { return nil }
        let origin = TenantPolicy.Identity(host: texts.host, clientID: texts.clientID)
        return Identity(tenant: texts.tenant, origin: origin, scopes: scopes)
    }
}
