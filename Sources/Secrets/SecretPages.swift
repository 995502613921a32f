import Glibc

/// Zeroed pages from the kernel.
package enum SecretPages {
    /// A function that maps a number of bytes, or returns nil if the kernel has no memory left.
    package typealias Mapper = @Sendable (_ length: Int) -> UnsafeMutableRawPointer?

    private static let pageSize = Int(sysconf(CInt(_SC_PAGESIZE)))

    /// Rounds a number of bytes up to whole pages.
    static func rounded(_ count: Int) -> Int { max(1, (count + pageSize - 1) / pageSize) * pageSize }

    /// Maps pages that are excluded from core dumps and forks, or returns nil if the kernel has no memory left.
    @Sendable package static func map(_ length: Int) -> UnsafeMutableRawPointer? {
        let pages = unsafe mmap(nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let pages = unsafe pages, unsafe pages != MAP_FAILED else { return nil }
        _ = unsafe madvise(pages, length, CInt(MADV_DONTDUMP))
        _ = unsafe madvise(pages, length, CInt(MADV_DONTFORK))
        return unsafe pages
    }

    /// Unmaps pages.
    static func unmap(_ start: UnsafeMutableRawPointer, _ length: Int) { _ = unsafe munmap(start, length) }
}
