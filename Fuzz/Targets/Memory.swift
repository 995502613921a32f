import Glibc
import Secrets
import TokenProtocol

@testable import TokenCache
@testable import TokenLog

/// Fuzzes a memory file as the next daemon finds it: tokens that can be read are served, others are dropped, and a
/// later daemon finds the same.
///
/// The input is a number of bytes of the file that are changed, these (offset in two bytes, value), then records:
/// flags, the content's length in two bytes, the content.
func fuzzMemory(_ input: [UInt8]) throws(BrokenPromise) {
    guard let count = input.first else { return }
    let changes = Array(input.dropFirst().prefix(3 * Int(count)))
    let records = split(input.dropFirst(1 + changes.count))
    let size = records.reduce(LogFile.headSize) { $0 + LogFile.recordSize(content: $1.content.count) }
    guard var file = LogFile(size: size + 200, generation: 5) else { return }
    for record in records {
        _ = unsafe file.append(content: record.content.count, lastUsed: record.lastUsed) {
            unsafe $0.copyBytes(from: record.content)
        }
    }
    for change in stride(from: 0, to: changes.count - 2, by: 3) {
        let offset = Int(changes[change]) << 8 | Int(changes[change + 1])
        if offset < file.size { unsafe file.file.bytes[offset] = changes[change + 2] }
    }
    try takeOver(file.file.descriptor)
}

private struct Record {
    var lastUsed: Int64
    var content: ArraySlice<UInt8>
}

private func split(_ bytes: ArraySlice<UInt8>) -> [Record] {
    var (records, rest): ([Record], ArraySlice<UInt8>) = ([], bytes)
    while rest.count > 3, records.count < 32 {
        let flags = rest.removeFirst()
        let length = Int(rest.removeFirst()) << 8 | Int(rest.removeFirst())
        let content = rest.prefix(length)
        let time = content.prefix(8).reduce(Int64(0)) { $0 << 8 | Int64($1) }
        records.append(Record(lastUsed: flags & 1 == 0 ? LogFile.never : time, content: content))
        rest = rest.dropFirst(length)
    }
    return records
}

private func open(_ descriptor: CInt) -> TokenLog? {
    let duplicate = dup(descriptor)
    // The system has no descriptor left, which is not a fault of the input.
    guard duplicate >= 0 else { return nil }
    return TokenLog(stored: [("tokens-a", duplicate)], in: nil, store: { _ in })
}

private func takeOver(_ descriptor: CInt) throws(BrokenPromise) {
    guard let first = open(descriptor) else { return }
    let found = tokens(first)
    for token in found { try serve(token) }
    guard let second = open(descriptor) else { return }
    let again = tokens(second)
    try check(again.map(\.user) == found.map(\.user), "a later daemon finds the same users")
    try check(again.map(\.token) == found.map(\.token), "a later daemon finds the same tokens")
    second.end()
    guard let third = open(descriptor) else { return }
    try check(tokens(third).isEmpty, "when persisting ends, no token is left")
}

private func tokens(_ log: TokenLog) -> [PersistedToken] {
    var tokens: [PersistedToken] = []
    log.restore { _, token in
        tokens.append(token)
        return true
    }
    return tokens
}

private func serve(_ persisted: PersistedToken) throws(BrokenPromise) {
    let token = persisted.token
    try check(
        token.accessToken.bytes.count <= token.tokenRange.count,
        "a token without escapes is no longer than its text"
    )
    var output = OutputBuffer()
    ReplyEncoder.encode(.token(TokenReply(token: token, expiresIn: 1, source: .cache)), id: nil, into: &output)
    try check(output.count > token.text.count, "a persisted token can be sent")
    restore(persisted, now: persisted.sent)
    restore(persisted, now: persisted.sent + .seconds(100))
}

/// Restores a token into a cache, and asks the cache all that it tells of a token.
private func restore(_ persisted: PersistedToken, now: Instant) {
    let tenant = TenantID(number: 1, name: persisted.tenant)
    var machine = CacheStateMachine(
        policy: CachePolicy(),
        tenants: [tenant: TenantPolicy(identity: persisted.identity)],
        random: SystemRandomNumberGenerator(),
        now: now
    )
    let key = TokenKey(tenant: tenant, user: persisted.user, scopes: persisted.scopes)
    guard machine.restore(persisted, recordID: 0, now: now) else { return }
    _ = machine.beginPersisting(now: now)
    _ = machine.explain(key, for: 1, now: now)
    _ = machine.entries(EntriesRequest(), of: nil, now: now)
    _ = machine.stats(now: now)
    _ = machine.request(
        key,
        RequestOptions(peer: Peer(uid: 1, gid: 1)),
        waiter: Waiter(connection: 1, ticket: 1),
        now: now
    )
    _ = machine.timePassed(now: now + persisted.lifetime)
}
