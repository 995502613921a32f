import Glibc
import Secrets
import TokenProtocol

@testable import TokenStorage

/// Fuzzes a memory file as the next daemon finds it: tokens that can be read are served, others are dropped, and a
/// later daemon finds the same.
///
/// The input is a number of changes to the file, these, then tokens. A change is its kind, two bytes of a place, and the
/// byte that is written there. A token is its field, the lengths of user and scope, the length of the token in two
/// bytes, and their content.
func fuzzMemory(_ input: [UInt8]) throws(BrokenPromise) {
    guard let count = input.first, let file = TokenFile.make(mayBeSecret: false) else { return }
    file.setKept(true)
    guard let storage = TokenStorage(in: file) else { return }
    let changes = input.dropFirst().prefix(4 * Int(count))
    let tokens = tokens(in: input.dropFirst(1 + changes.count)).compactMap { storage.insert($0) }
    let classes = tokens.map { storage.records[$0].classID }
    var rest = changes
    while rest.count >= 4 {
        let (kind, place) = (rest.removeFirst(), Int(rest.removeFirst()) << 8 | Int(rest.removeFirst()))
        change(storage, tokens, classes, kind, place, to: rest.removeFirst())
    }
    try takeOver(file)
}

/// The time of the next daemon.
private let now: Int64 = 1 << 60

private func tokens(in bytes: ArraySlice<UInt8>) -> [NewToken] {
    var (tokens, rest): ([NewToken], ArraySlice<UInt8>) = ([], bytes)
    func take(_ count: Int) -> ArraySlice<UInt8> {
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }
    while rest.count > 5, tokens.count < 32 {
        let field = LookupField(rawValue: rest.removeFirst() % 3) ?? .subject
        let (userLength, scopeLength) = (Int(rest.removeFirst()), Int(rest.removeFirst()))
        let length = Int(rest.removeFirst()) << 8 | Int(rest.removeFirst())
        let user = UserLookup(field: field, value: Array(take(userLength)))
        let scope = String(decoding: take(scopeLength), as: UTF8.self)
        let secret = AccessToken(unsafe Array(take(length)).withUnsafeBytes { unsafe SecretBytes(copying: $0) })
        tokens.append(token(secret, user, scope))
    }
    return tokens
}

private func token(_ token: AccessToken, _ user: UserLookup, _ scope: String) -> NewToken {
    NewToken(
        user: user,
        tokenClass: TokenClass(tenant: "t", host: "h", clientID: "c", scopes: scope, grantedScope: scope),
        token: token,
        fingerprint: token.fingerprint,
        sent: 1,
        arrived: 2,
        lifetime: 3_600_000_000_000,
        jitter: 0,
        expiresAt: 0,
        owner: 1
    )
}

/// Changes a byte in the head of the file, in the head of a region, in a record, or in a class.
///
/// One of the kinds repairs the checksum of the record afterwards, as damage is seldom that well made.
private func change(
    _ storage: TokenStorage,
    _ tokens: [RecordID],
    _ classes: [RecordID],
    _ kind: UInt8,
    _ place: Int,
    to byte: UInt8
) {
    let start = unsafe storage.records.start
    let (high, low) = (place >> 8, place & 255)
    switch kind % 8 {
    case 0: unsafe start.storeBytes(of: byte, toByteOffset: low % 64, as: UInt8.self)
    case 1: unsafe start.storeBytes(of: byte, toByteOffset: high % 4 * Region.size + low % 64, as: UInt8.self)
    case 2...4:
        guard !tokens.isEmpty else { return }
        let record = storage.records[tokens[high % tokens.count]]
        record.store(byte, low)
        if kind % 8 == 2, record.userLength + record.tokenLength < 100_000 {
            record.store(record.check, TokenRecord.Offset.check)
        }
    default:
        guard !classes.isEmpty else { return }
        let record = storage.records[class: classes[high % classes.count]]
        unsafe record.start.storeBytes(of: byte, toByteOffset: low, as: UInt8.self)
    }
}

private func open(_ file: TokenFile) -> TokenStorage? {
    let duplicates = file.stored.map { (name: $0.name, descriptor: dup($0.descriptor)) }
    // The system has no descriptor left, which is not a fault of the input.
    guard duplicates.allSatisfy({ $0.descriptor >= 0 }) else { return nil }
    return TokenFile(takingOver: duplicates).flatMap { try? TokenStorage(restoring: $0) }
}

private func takeOver(_ file: TokenFile) throws(BrokenPromise) {
    guard let first = open(file) else { return }
    let found = restore(first)
    for id in found.keys { try look(at: id, in: first) }
    guard let second = open(file) else { return }
    let again = restore(second)
    try check(again == found, "a later daemon finds the same tokens")
    try store(in: second, beside: found)
    for id in again.keys { second.remove(id) }
    try check(second.count == 0 && second.classCount == 0 && second.size == 0, "all memory is returned")
    guard let third = open(file) else { return }
    try check(restore(third).isEmpty, "no removed token is found")
}

private func restore(_ storage: TokenStorage) -> [RecordID: [UInt8]] {
    var found: [RecordID: [UInt8]] = [:]
    while storage.isRestoring {
        storage.restoreNext(10, now: now) { id in
            found[id] = unsafe Array(storage.records[id].user)
            return true
        }
    }
    return found
}

/// Reads all that the cache reads of a token.
private func look(at id: RecordID, in storage: TokenStorage) throws(BrokenPromise) {
    let record = storage.records[id]
    let end = TokenRecord.Offset.content + record.userLength + record.tokenLength
    try check(end <= storage.size(of: id), "a record is within its slot")
    try check(record.field != nil && record.lifetime > 0, "a token can be served")
    try check(record.sent <= record.arrived && record.arrived <= now && record.lastUsed <= now, "no time is ahead")
    try check(record.accessToken(in: nil).bytes.count <= record.tokenLength, "no escape makes a token longer")
    let tokenClass = storage.records[class: record.classID]
    try check(tokenClass.references > 0, "the class of a token stays")
    try check(tokenClass.tokenClass.tenant.utf8.count <= storage.size(of: record.classID), "a class is in its slot")
}

private func store(in storage: TokenStorage, beside found: [RecordID: [UInt8]]) throws(BrokenPromise) {
    let user = UserLookup(field: .subject, value: "new")
    let new = (0..<50).compactMap { storage.insert(token(AccessToken(String(repeating: "n", count: $0)), user, "n")) }
    try check(Set(new).isDisjoint(with: found.keys), "a new token takes no other's place")
    for (id, user) in found { try check(storage.records[id].hasUser(user.span), "a new token changes no other") }
    for id in new { storage.remove(id) }
}
