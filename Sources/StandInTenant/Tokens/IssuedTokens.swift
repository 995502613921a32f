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
    /// The digests in the order in which the tokens were issued.
    private var digests: [SHA256Digest] = []
    private var numbersByOwner: [Owner: [Int]] = [:]

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
        digests.append(digest)
        numbersByOwner[Owner(field: key.field, value: key.value), default: []].append(digests.count)
        records[digest] = Record(
            number: digests.count,
            key: key,
            scope: scope,
            end: end,
            revocationStatus: revocationStatus
        )
    }

    /// Returns true if a token was issued here, hasn't expired and isn't revoked.
    func isLive(_ token: String, at now: Date) -> Bool { self[token]?.isLive(at: now) ?? false }

    /// Revokes a token, and returns true if it was live.
    mutating func revoke(_ token: String, at now: Date) -> Bool { revoke(Self.digest(token), at: now) }

    /// Revokes the token of an id, and returns true if it was live.
    mutating func revoke(id: String, at now: Date) -> Bool {
        guard let number = Int(id.dropFirst()), number >= 1, number <= digests.count else { return false }
        let digest = digests[number - 1]
        return records[digest]?.id == id && revoke(digest, at: now)
    }

    /// The live tokens of a user in the order in which they were issued, whichever way the requests named the user.
    func live(of user: StandInTenant.User, at now: Date) -> [Record] {
        let owners = [Owner(field: .userID, value: user.id), Owner(field: .subject, value: user.subject)]
        return owners.flatMap { owner in
            numbersByOwner[owner, default: []].compactMap { number in records[digests[number - 1]] }
                .filter { $0.isLive(at: now) && $0.key.value.utf8.elementsEqual(owner.value.utf8) }
        }.sorted { one, other in one.number < other.number }
    }

    private mutating func revoke(_ digest: SHA256Digest, at now: Date) -> Bool {
        defer { records[digest]?.isRevoked = true }
        return records[digest]?.isLive(at: now) ?? false
    }

    private static func digest(_ token: String) -> SHA256Digest { SHA256.hash(data: Data(token.utf8)) }
}
