import Glibc

/// The first page of a file, mapped for those who set its mark beside the storage.
// `@unchecked Sendable`, because a pointer is not Sendable. It is sound: `TokenFile` alone has the object, and uses it
// before it stores it in its state, then only under the lock of that state. The mapping ends in `deinit`, after the last
// reference. The storage writes other words of the page, through a mapping of its own.
@safe final class HeadPage: @unchecked Sendable {
    /// The size of a page in bytes.
    static let size = Int(sysconf(CInt(_SC_PAGESIZE)))

    private let start: UnsafeMutableRawPointer

    /// Maps the first page of a file, or returns nil if the kernel refuses.
    init?(of file: MemoryFile) {
        guard file.size >= Self.size, file.commit(offset: 0, count: Self.size),
            let start = unsafe file.map(offset: 0, count: Self.size)
        else { return nil }
        unsafe self.start = start
    }

    /// The head of the file.
    var head: FileHead { unsafe FileHead(start) }

    deinit { _ = unsafe munmap(start, Self.size) }
}
