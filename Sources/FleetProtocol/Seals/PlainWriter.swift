import Glibc
import Secrets

/// Collects a value that is about to be sealed, in memory that is overwritten afterwards.
struct PlainWriter: ~Copyable {
    private(set) var bytes: [UInt8] = []

    /// Creates a writer for at most a number of bytes, so that the memory doesn't move and leave a copy.
    init(capacity: Int) { bytes.reserveCapacity(capacity) }

    /// Appends a number.
    mutating func append(_ number: some FixedWidthInteger) { bytes.append(bigEndian: number) }

    /// Appends bytes behind their length.
    mutating func append(_ text: some Collection<UInt8>) {
        bytes.append(bigEndian: UInt32(truncatingIfNeeded: text.count))
        bytes.append(contentsOf: text)
    }

    /// Appends a text, or that there is none.
    mutating func append(_ text: String?) {
        bytes.append(text == nil ? 0 : 1)
        if let text { append(text.utf8) }
    }

    /// Appends a secret behind its length.
    mutating func append(_ secret: SecretBytes) {
        bytes.append(bigEndian: UInt32(truncatingIfNeeded: secret.count))
        secret.copy(0..<secret.count, to: &bytes)
    }

    /// Overwrites all.
    mutating func wipe() {
        unsafe bytes.withUnsafeMutableBytes { memory in
            if let start = memory.baseAddress { unsafe explicit_bzero(start, memory.count) }
        }
    }
}
