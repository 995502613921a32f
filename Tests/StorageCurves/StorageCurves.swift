import Foundation
import Secrets
import TokenProtocol
import TokenStorage

/// Measures how long the storage of tokens can block the event loop, and what a token takes.
///
/// For each step it prints the longest single call and the total time, for a thousand to a million tokens. Long work is
/// divided into slices, so the longest call should not grow with the number of tokens. Times are those of the processor,
/// with the kernel's share, so other programs disturb them little.
@main
struct StorageCurves {
    static func main() throws {
        let sizes = CommandLine.arguments.dropFirst().compactMap { Int($0) }
        print("operation                              n      whole, ms   longest call, µs")
        for isSecret in [false, true] {
            print(isSecret ? "in a secret file" : "in an ordinary file")
            for size in sizes.isEmpty ? [1_000, 10_000, 100_000, 1_000_000] : sizes {
                try measure(size, isSecret: isSecret)
            }
        }
    }

    private static func measure(_ size: Int, isSecret: Bool) throws {
        guard let file = TokenFile.make(mayBeSecret: isSecret), let storage = TokenStorage(in: file) else {
            return print("the kernel has no memory")
        }
        file.setKept(true)
        var user: [UInt8] = []
        let token = NewToken.usual
        var clock = Stopwatch("tokens are stored", size)
        for number in 0..<size {
            user = Array(String(10_000_000_000_000_000 + number).dropFirst().utf8)
            var token = token
            token.user = UserLookup(field: .subject, value: user)
            clock.measure { _ = storage.insert(token) }
        }
        clock.finish("\(storage.size / size) bytes each, \(mappings()) mappings")
        try restore(file, size)
    }

    private static func restore(_ file: TokenFile, _ size: Int) throws {
        let handedOver = file.stored.map { ($0.name, dup($0.descriptor)) }
        guard let next = TokenFile(takingOver: handedOver), let storage = TokenStorage(restoring: next) else {
            return print("the file can't be taken over")
        }
        var ids: [RecordID] = []
        ids.reserveCapacity(size)
        var clock = Stopwatch("tokens are restored", size)
        while storage.isRestoring {
            clock.measure {
                storage.restoreNext(500, now: .max) { id in
                    ids.append(id)
                    return true
                }
            }
        }
        clock.finish("\(storage.count) tokens")
        clock = Stopwatch("tokens are removed", size)
        for id in ids.shuffled() { clock.measure { storage.remove(id) } }
        clock.finish("\(storage.size) bytes left")
    }

    /// The number of mappings of this process.
    private static func mappings() -> Int {
        (try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8))?.split(separator: "\n").count ?? 0
    }
}

/// The time of many calls.
private struct Stopwatch {
    private let name: String
    private let size: Int
    private var whole = Duration.zero
    private var longest = Duration.zero

    init(_ name: String, _ size: Int) { (self.name, self.size) = (name, size) }

    mutating func measure(_ body: () -> Void) {
        let before = Self.processorTime
        body()
        let time = Self.processorTime - before
        whole += time
        longest = max(longest, time)
    }

    private static var processorTime: Duration {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    func finish(_ note: String) {
        let name = name.padding(toLength: 30, withPad: " ", startingAt: 0)
        print(
            name,
            String(format: "%9d %14.2f %18.1f", size, whole / .milliseconds(1), longest / .microseconds(1)),
            note
        )
    }
}

extension NewToken {
    /// A token of the usual size.
    fileprivate static var usual: NewToken {
        let token = AccessToken(String(repeating: "t", count: 1_199))
        return NewToken(
            user: UserLookup(field: .subject, value: "somebody"),
            tokenClass: TokenClass(
                tenant: "main",
                host: "https://one.example",
                clientID: "0123456789abcdef",
                scopes: "user_default",
                grantedScope: "user_default"
            ),
            token: token,
            fingerprint: token.fingerprint,
            sent: 1_000_000_000,
            arrived: 2_000_000_000,
            lifetime: 21_600_000_000_000,
            jitter: 1 << 30,
            expiresAt: 1_795_000_000,
            owner: 1_000
        )
    }
}
