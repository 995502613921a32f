import Glibc
import Secrets
import TokenProtocol
import TokenStorage

@testable import TokenCache

/// Fuzzes a memory file as the next daemon finds it: tokens that can be read are served, and others are dropped.
///
/// The input is bytes of the file that are changed: an offset in three bytes, and a value.
func fuzzMemory(_ input: [UInt8]) throws(BrokenPromise) {
    guard let file = TokenFile.make(mayBeSecret: false), let storage = TokenStorage(in: file) else { return }
    file.setKept(true)
    for number in 0..<20 { _ = storage.insert(token(number)) }
    for file in file.stored { change(file.descriptor, input) }
    let stored = file.stored.map { ($0.name, dup($0.descriptor)) }
    // The system has no descriptor left, which is not a fault of the input.
    guard stored.allSatisfy({ $0.1 >= 0 }), let next = TokenFile(takingOver: stored),
        let restored = TokenStorage(restoring: next)
    else { return }
    try serve(restored)
}

private func token(_ number: Int) -> NewToken {
    let token = AccessToken("token-\(number)" + String(repeating: "x", count: number * number))
    return NewToken(
        user: UserLookup(field: .subject, value: "user-\(number)"),
        tokenClass: TokenClass(
            tenant: "main",
            host: "https://one.example",
            clientID: "client",
            scopes: number < 10 ? "a" : "b",
            grantedScope: "a"
        ),
        token: token,
        fingerprint: token.fingerprint,
        sent: 1_000_000_000,
        arrived: 2_000_000_000,
        lifetime: 3_600_000_000_000,
        jitter: 1 << 31,
        expiresAt: 1_795_000_000,
        owner: 1
    )
}

private func change(_ descriptor: CInt, _ input: [UInt8]) {
    for index in stride(from: 0, to: input.count - 3, by: 4) {
        let offset = Int(input[index]) << 16 | Int(input[index + 1]) << 8 | Int(input[index + 2])
        var byte = input[index + 3]
        _ = unsafe pwrite(descriptor, &byte, 1, off_t(offset))
    }
}

/// Restores the tokens into a cache, and asks the cache all that it tells of them.
private func serve(_ storage: TokenStorage) throws(BrokenPromise) {
    let tenant = TenantID(number: 1, name: "main")
    let clock = BootClock()
    let now = clock.instant(at: 10_000_000_000)
    var machine = CacheStateMachine(
        policy: CachePolicy(),
        tenants: [tenant: TenantPolicy(identity: .init(host: "https://one.example", clientID: "client"))],
        memory: CacheMemory(storage: storage, clock: clock, secrets: nil),
        random: SystemRandomNumberGenerator(),
        now: now
    )
    var actions = machine.beginRestoring(now: now)
    for _ in 0..<1_000 where machine.hasWork { actions = machine.timePassed(now: now) }
    try check(!machine.hasWork && actions.deliveries.isEmpty, "the restoring ends")
    try check(machine.store.count == storage.count, "each record is an entry, or is dropped")
    let page = machine.entries(EntriesRequest(limit: 100), of: nil, now: now)
    for entry in page?.entries ?? [] {
        let key = TokenKey(tenant: tenant, user: entry.user, scopes: entry.scopes)
        _ = machine.explain(key, for: 1, now: now)
        let waiter = Waiter(connection: 1, ticket: 1)
        let options = RequestOptions(peer: Peer(uid: 1, gid: 1))
        guard case .serve(let reply) = machine.request(key, options, waiter: waiter, now: now).answer else { continue }
        var output = OutputBuffer()
        ReplyEncoder.encode(.token(reply), id: nil, into: &output)
        try check(output.count > reply.token.accessToken.bytes.count, "a restored token can be sent")
    }
    _ = machine.stats(now: now)
    _ = machine.timePassed(now: now + .seconds(3_600))
    try check(storage.count == 0, "all tokens end")
}
