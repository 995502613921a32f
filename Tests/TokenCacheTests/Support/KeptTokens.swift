import Glibc
import Secrets
import Testing
import TokenProtocol
import TokenStorage

@testable import TokenCache

/// The file of a daemon's tokens, which the next daemon takes over.
final class KeptTokens {
    /// The clock of all daemons.
    ///
    /// Two that were created one after another differ by the time between two looks at the system's clock.
    private static let clock = BootClock()

    private let file: TokenFile

    private init(_ file: TokenFile) {
        self.file = file
        file.setKept(true)
    }

    /// Creates an empty file that the next daemon is to have.
    convenience init() throws { self.init(try #require(TokenFile.make(mayBeSecret: false))) }

    /// True if the next daemon is to have the tokens.
    var isKept = true {
        didSet { file.setKept(isKept) }
    }

    /// The memory of the daemon whose file is empty.
    func memory() throws -> CacheMemory { Self.memory(try #require(TokenStorage(in: file))) }

    /// Returns the file as the next daemon takes it over, or nil if it is not kept, and its memory.
    func next() throws -> (tokens: KeptTokens, memory: CacheMemory)? {
        guard let file = TokenFile(takingOver: file.stored.map { ($0.name, dup($0.descriptor)) }) else { return nil }
        return (KeptTokens(file), Self.memory(try TokenStorage(restoring: file)))
    }

    /// The names of the tokens that the next daemon would find, sorted.
    func names() throws -> [String] {
        guard let (_, memory) = try next() else { return [] }
        var names: [String] = []
        let now = memory.clock.nanoseconds(of: Simulation.start + .seconds(1_000_000))
        while memory.storage.isRestoring {
            memory.storage.restoreNext(100, now: now) { id in
                let text = unsafe memory.storage.records[id].escapedToken
                names.append(unsafe String(decoding: text, as: UTF8.self))
                return true
            }
        }
        return names.sorted()
    }

    private static func memory(_ storage: TokenStorage) -> CacheMemory {
        CacheMemory(storage: storage, clock: clock, secrets: nil)
    }
}

/// A token that an earlier daemon has stored, by default one with 900 s left.
struct StoredToken {
    var subject: String
    var name: String?
    var field = LookupField.subject
    var tenant = "main"
    var host = "https://one.example"
    var client = "client"
    var scope = "user_default"
    var sent = Duration.seconds(-100)
    var lastUsed: Duration? = .seconds(-50)
    var owner: PeerUID = 7

    init(_ subject: String) { self.subject = subject }

    init(_ subject: String, _ change: (inout StoredToken) -> Void) {
        self.subject = subject
        change(&self)
    }

    func store(in memory: CacheMemory) throws {
        let token = AccessToken(name ?? "\(subject)-0")
        let time = { memory.clock.nanoseconds(of: Simulation.start + $0) }
        let stored = NewToken(
            user: UserLookup(field: field, value: subject),
            tokenClass: TokenClass(
                tenant: tenant,
                host: host,
                clientID: client,
                scopes: scope,
                grantedScope: scope
            ),
            token: token,
            fingerprint: token.fingerprint,
            sent: time(sent),
            arrived: time(sent),
            lastUsed: lastUsed.map(time) ?? TokenRecord.never,
            lifetime: 1_000_000_000_000,
            jitter: 1 << 15,
            expiresAt: 1_795_000_000,
            owner: owner
        )
        _ = try #require(memory.storage.insert(stored))
    }
}

extension KeptTokens {
    /// The memory of a daemon whose predecessor has stored tokens.
    static func memory(of tokens: [StoredToken]) throws -> CacheMemory {
        let kept = try KeptTokens()
        let memory = try kept.memory()
        for token in tokens { try token.store(in: memory) }
        return try #require(try kept.next()).memory
    }
}
