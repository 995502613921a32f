import SystemPackage

/// The descriptors of standard input, output and error.
package enum StandardDescriptors {
    /// Opens `/dev/null` for each of them that is closed.
    ///
    /// Otherwise the daemon's next file or socket gets its number, and what is written to standard error goes there.
    package static func open() {
        while let descriptor = unsafe try? FileDescriptor.open("/dev/null", .readWrite) {
            guard descriptor.rawValue > FileDescriptor.standardError.rawValue else { continue }
            try? descriptor.close()
            return
        }
    }
}
