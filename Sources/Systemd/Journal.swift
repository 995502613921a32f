import CSystemd
import Glibc
import SystemPackage

/// The journal, which takes entries with fields.
package enum Journal {
    /// Returns true if standard error is the journal: in that case `JOURNAL_STREAM` has its device and inode.
    ///
    /// - Parameter stream: The variable's value.
    package static func isStandardError(_ stream: String?) -> Bool {
        guard let stream, let status = try? FileDescriptor.standardError.stat() else { return false }
        return stream == "\(status.deviceID.rawValue):\(status.inode.rawValue)"
    }

    /// True if this machine has a journal that takes entries.
    package static var isAvailable: Bool { unsafe access("/run/systemd/journal/socket", W_OK) == 0 }

    /// Sends an entry.
    ///
    /// This may block while the journal is busy, so it must not be called on an event loop.
    ///
    /// - Parameter fields: Names in capitals. Values may hold any text, even line ends, as their length is sent with
    ///   them.
    /// - Returns: True if the journal took the entry.
    package static func send(_ fields: [(name: String, value: String)]) -> Bool {
        // Without the socket, `sd_journal_sendv` does nothing and reports success.
        guard isAvailable else { return false }
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
