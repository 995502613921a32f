import DequeModule
import Secrets

/// The bytes of one connection's replies that its socket has not accepted yet.
///
/// They hold tokens, so they are overwritten when they were sent, or dropped.
struct UnsentReplies {
    /// Bytes that were left together, without those that were sent since.
    struct Chunk {
        fileprivate let bytes: SecretBytes
        fileprivate var start = 0

        /// The number of bytes.
        var count: Int { bytes.count - start }

        func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
            unsafe bytes.withUnsafeBytes { unsafe body(UnsafeRawBufferPointer(rebasing: $0[start...])) }
        }
    }

    /// No more requests are answered while more bytes than this are unsent, until they are down to the lower number.
    private static let marks = (low: 128 * 1_024, high: 512 * 1_024)

    private var chunks: Deque<Chunk> = []
    /// The number of bytes.
    private(set) var count = 0
    /// True if there are so many that no more requests may be answered.
    private(set) var isBlocking = false

    var isEmpty: Bool { count == 0 }
    var first: Chunk? { chunks.first }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        unsafe chunks.append(Chunk(bytes: SecretBytes(copying: bytes)))
        count += bytes.count
        if count > Self.marks.high { isBlocking = true }
    }

    /// Removes bytes of the first chunk.
    mutating func removeFirst(_ sent: Int) {
        count -= sent
        if count <= Self.marks.low { isBlocking = false }
        if sent == chunks[0].count { chunks.removeFirst() } else { chunks[0].start += sent }
    }

    /// Drops all bytes, and returns their number.
    mutating func removeAll() -> Int {
        defer { self = UnsentReplies() }
        return count
    }
}
