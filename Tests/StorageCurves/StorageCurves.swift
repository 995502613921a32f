import Foundation
import Secrets
import TokenProtocol
import TokenStorage

/// Measures how long the storage of tokens can block the event loop, and what a token takes.
///
/// It prints a table of the time for each token and of the longest single call, by step and number of tokens. `make bench`
/// runs it. Long work is divided into slices, so the longest call should not grow with the number of tokens. Times are
/// those of the processor, with the kernel's share, so other programs disturb them little. The arguments are the numbers
/// of tokens.
@main
struct StorageCurves {
    static func main() throws {
        let arguments = CommandLine.arguments.dropFirst().compactMap { Int($0) }
        let sizes = arguments.isEmpty ? [1_000, 10_000, 100_000, 1_000_000] : arguments
        print("| file | tokens | step | a token, µs | longest call, µs | afterwards |")
        print("|---|---:|---|---:|---:|---|")
        for isSecret in [false, true] {
            for size in sizes {
                try measure(size, isSecret: isSecret)
            }
        }
    }

    private static func measure(_ size: Int, isSecret: Bool) throws {
        guard let file = TokenFile.make(mayBeSecret: isSecret), let storage = TokenStorage(in: file) else {
            throw Failure.noMemory
        }
        // Without enough locked memory it is an ordinary one all the same.
        let kind = isSecret ? "secret" : "ordinary"
        file.setKept(true)
        var user: [UInt8] = []
        let token = NewToken.usual
        var clock = Stopwatch("tokens are stored", kind, size)
        for number in 0..<size {
            user = Array(String(10_000_000_000_000_000 + number).dropFirst().utf8)
            var token = token
            token.user = UserLookup(field: .subject, value: user)
            clock.measure { _ = storage.insert(token) }
        }
        clock.finish("\(storage.size / size) bytes each, \(mappings()) mappings")
        try restore(file, kind, size)
    }

    private static func restore(_ file: TokenFile, _ kind: String, _ size: Int) throws {
        let handedOver = file.stored.map { ($0.name, dup($0.descriptor)) }
        guard let next = TokenFile(takingOver: handedOver), let storage = try? TokenStorage(restoring: next) else {
            throw Failure.notTakenOver
        }
        var ids: [RecordID] = []
        ids.reserveCapacity(size)
        var clock = Stopwatch("tokens are restored", kind, size)
        while storage.isRestoring {
            clock.measure {
                storage.restoreNext(500, now: .max) { id in
                    ids.append(id)
                    return true
                }
            }
        }
        clock.finish("\(storage.count) tokens")
        clock = Stopwatch("tokens are removed", kind, size)
        for id in ids.shuffled() { clock.measure { storage.remove(id) } }
        clock.finish("\(storage.size) bytes left")
        // One store, however many tokens there are.
        clock = Stopwatch("keeping is switched off", kind, size)
        clock.measure { next.setKept(false) }
        clock.finish("")
    }

    private enum Failure: Error {
        case noMemory
        case notTakenOver
    }

    /// The number of mappings of this process.
    private static func mappings() -> Int {
        (try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8))?.split(separator: "\n").count ?? 0
    }
}

/// The time of many calls.
private struct Stopwatch {
    private let name: String
    private let kind: String
    private let size: Int
    private var whole = Duration.zero
    private var longest = Duration.zero

    init(_ name: String, _ kind: String, _ size: Int) { (self.name, self.kind, self.size) = (name, kind, size) }

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
        let times = [whole / Double(size), longest].map { String(format: "%.2f", $0 / .microseconds(1)) }
        print("| \(kind) | \(size) | \(name) | \(times[0]) | \(times[1]) | \(note) |")
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
            jitter: 1 << 14,
            expiresAt: 1_795_000_000,
            owner: 1_000
        )
    }
}
