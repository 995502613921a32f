import Glibc
import Secrets
import TokenProtocol

@testable import TokenCache
@testable import TokenLog

/// A memory file as the next daemon finds it: whatever is in it, what can't be read is dropped, what can is served, and
/// the daemon after that finds the same.
///
/// The input is how many bytes of the file are changed, those (offset in two bytes, value), then records: flags, the
/// content's length in two bytes, the content.
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
    for place in stride(from: 0, to: changes.count - 2, by: 3) {
        let offset = Int(changes[place]) << 8 | Int(changes[place + 1])
        if offset < file.size { unsafe file.file.bytes[offset] = changes[place + 2] }
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
    // The system is short of something; that is no fault of the input's.
    guard duplicate >= 0 else { return nil }
    return TokenLog(stored: [("tokens-a", duplicate)], in: nil, store: { _ in })
}

private func takeOver(_ descriptor: CInt) throws(BrokenPromise) {
    guard let first = open(descriptor) else { return }
    let found = tokens(first)
    for token in found { try serve(token) }
    guard let second = open(descriptor) else { return }
    let again = tokens(second)
    try check(again.map(\.user) == found.map(\.user), "the next daemon but one finds the same users")
    try check(again.map(\.token) == found.map(\.token), "and the same tokens")
    second.end()
    guard let third = open(descriptor) else { return }
    try check(tokens(third).isEmpty, "when keeping ends, nothing is left")
}

private func tokens(_ log: TokenLog) -> [PersistedToken] {
    var tokens: [PersistedToken] = []
    log.restore { _, token in
        tokens.append(token)
        return true
    }
    return tokens
}

private func serve(_ kept: PersistedToken) throws(BrokenPromise) {
    let token = kept.token
    try check(token.accessToken.bytes.count <= token.tokenRange.count, "a bare token is no longer than its text")
    var output = OutputBuffer()
    ReplyEncoder.encode(.token(TokenReply(token: token, expiresIn: 1, source: .cache)), id: nil, into: &output)
    try check(output.count > token.text.count, "a kept token can be answered with")
    restore(kept, now: kept.sent)
    restore(kept, now: kept.sent + .seconds(100))
}

/// Lets a cache begin with a token, and asks it everything that it says of one.
private func restore(_ kept: PersistedToken, now: Instant) {
    let tenant = TenantID(number: 1, name: kept.tenant)
    var machine = CacheStateMachine(
        policy: CachePolicy(),
        tenants: [tenant: TenantPolicy(identity: kept.identity)],
        random: SystemRandomNumberGenerator(),
        now: now
    )
    let key = TokenKey(tenant: tenant, user: kept.user, scopes: kept.scopes)
    guard machine.restore(kept, recordID: 0, now: now) else { return }
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
    _ = machine.timePassed(now: now + kept.lifetime)
}
