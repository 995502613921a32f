import Glibc

/// Whether what this process writes to standard error goes to the journal.
package enum Journal {
    /// Whether `JOURNAL_STREAM`, which names a device and an inode, names standard error's.
    ///
    /// - Parameter stream: The variable's value.
    package static func isStandardError(_ stream: String?) -> Bool {
        var status = stat()
        guard let stream, unsafe fstat(STDERR_FILENO, &status) == 0 else { return false }
        return stream == "\(status.st_dev):\(status.st_ino)"
    }
}
