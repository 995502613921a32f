import CSystemd
import Glibc

/// The journal: whether it is there, whether standard error goes to it, and entries with fields.
package enum Journal {
    /// Whether `JOURNAL_STREAM`, which names a device and an inode, names standard error's.
    ///
    /// - Parameter stream: The variable's value.
    package static func isStandardError(_ stream: String?) -> Bool {
        var status = stat()
        guard let stream, unsafe fstat(STDERR_FILENO, &status) == 0 else { return false }
        return stream == "\(status.st_dev):\(status.st_ino)"
    }

    /// Whether this machine has a journal that takes entries.
    package static var isThere: Bool { unsafe access("/run/systemd/journal/socket", W_OK) == 0 }

    /// Sends an entry; whether the journal took it.
    ///
    /// It may block while the journal is busy, so it has no place on an event loop.
    ///
    /// - Parameter fields: Names in capitals; values may hold any text, line ends too, as their length goes with them.
    package static func send(_ fields: [(name: String, value: String)]) -> Bool {
        var bytes: [UInt8] = []
        var ends: [Int] = []
        for field in fields {
            bytes += Array(field.name.utf8) + [UInt8(ascii: "=")] + Array(field.value.utf8)
            ends.append(bytes.count)
        }
        return unsafe bytes.withUnsafeMutableBytes { bytes in
            var start = 0
            var vectors: [iovec] = unsafe []
            for end in ends {
                unsafe vectors.append(
                    iovec(iov_base: bytes.baseAddress.map { unsafe $0 + start }, iov_len: end - start)
                )
                start = end
            }
            return unsafe sd_journal_sendv(vectors, CInt(vectors.count)) == 0
        }
    }
}
