import Crypto
import FoundationEssentials

/// The tokens that the stand-in has issued, by their digests to save memory.
struct IssuedTokens: Sendable {
    /// The state of a token.
    struct Record: Sendable {
        /// The number, counted from one in the order in which tokens were issued.
        fileprivate let number: Int
        let key: StandInTenant.MintKey
        /// The scopes that were granted.
        let scope: String
        fileprivate let end: Date
        fileprivate var isRevoked = false
        /// The status with which a revocation is refused, if it is.
        fileprivate(set) var revocationStatus: Int?

        /// The id by which the API knows it.
        var id: String { "t\(number)" }

        /// Returns true if it hasn't expired and isn't revoked.
        func isLive(at now: Date) -> Bool { !isRevoked && now < end }
    }

    /// The way in which a user was named, without the scope.
    private struct Owner: Hashable {
        var field: StandInTenant.LookupField
        var value: String
    }

    private var records: [SHA256Digest: Record] = [:]
    private var digestsByID: [String: SHA256Digest] = [:]
    private var digestsByOwner: [Owner: [SHA256Digest]] = [:]

    /// The state of a token, if it was issued here.
    subscript(token: String) -> Record? { records[Self.digest(token)] }

    /// Adds a token.
    mutating func add(
        _ token: String,
        for key: StandInTenant.MintKey,
        scope: String,
        until end: Date,
        revocationStatus: Int?
    ) {
        let digest = Self.digest(token)
        let record = Record(
            number: digestsByID.count + 1,
            key: key,
            scope: scope,
            end: end,
            revocationStatus: revocationStatus
        )
        records[digest] = record
        digestsByID[record.id] = digest
        digestsByOwner[Owner(field: key.field, value: key.value), default: []].append(digest)
    }

    /// Returns true if a token was issued here, hasn't expired and isn't revoked.
    func isLive(_ token: String, at now: Date) -> Bool { self[token]?.isLive(at: now) ?? false }

    /// Revokes a token, and returns true if it was live.
    mutating func revoke(_ token: String, at now: Date) -> Bool { revoke(Self.digest(token), at: now) }

    /// Revokes the token of an id, and returns true if it was live.
    mutating func revoke(id: String, at now: Date) -> Bool {
        digestsByID[id].map { digest in revoke(digest, at: now) } ?? false
    }

    /// The live tokens of a user in the order in which they were issued, whichever way the requests named the user.
    func live(of user: StandInTenant.User, at now: Date) -> [Record] {
        let owners = [Owner(field: .userID, value: user.id), Owner(field: .subject, value: user.subject)]
        return owners.flatMap { owner in
            digestsByOwner[owner, default: []].compactMap { digest in records[digest] }
                .filter { $0.isLive(at: now) && $0.key.value.utf8.elementsEqual(owner.value.utf8) }
        }.sorted { one, other in one.number < other.number }
    }

    private mutating func revoke(_ digest: SHA256Digest, at now: Date) -> Bool {
        defer { records[digest]?.isRevoked = true }
        return records[digest]?.isLive(at: now) ?? false
    }

    private static func digest(_ token: String) -> SHA256Digest { SHA256.hash(data: Data(token.utf8)) }
}
