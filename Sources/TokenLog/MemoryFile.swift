import CLinux
import Dispatch
import Glibc

/// A mapped file that exists only in memory.
///
/// Its content lives as long as its descriptor is held. It is a secret file (memfd_secret(2)) if the kernel has them:
/// not even root can open it through another process's descriptor, and it is never swapped. Otherwise it is an ordinary
/// memory file (memfd_create(2)) that is locked while it is mapped.
// `@unchecked Sendable`, because a pointer is not Sendable. It is sound, as only the log, which is one object, uses
// the memory. Others use the descriptor, which never changes, and tokens that are served from the memory. Those are
// only read until the last reference is released. Only then they are overwritten, in a record that the log has dropped
// before and doesn't look at any more (`LogFile.ServedToken`).
@safe final class MemoryFile: @unchecked Sendable {
    let descriptor: CInt
    /// The mapped memory.
    let bytes: UnsafeMutableRawBufferPointer
    /// True if its pages stay in memory.
    ///
    /// A limit of locked memory (`RLIMIT_MEMLOCK`) may prevent that.
    let isLocked: Bool

    /// Creates a zeroed file of a size, or returns nil if there is no memory.
    static func make(size: Int) -> MemoryFile? { makeSecret(size) ?? makeOrdinary(size) }

    /// Maps a file of an earlier daemon, or returns nil if it is no regular file.
    ///
    /// This object owns the descriptor from here on.
    convenience init?(takingOver descriptor: CInt) {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size > 0 else {
            close(descriptor)
            return nil
        }
        self.init(descriptor, Int(status.st_size))
    }

    /// Maps a file, or closes it.
    private init?(_ descriptor: CInt, _ size: Int) {
        let start = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        guard let start = unsafe start, unsafe start != MAP_FAILED else {
            close(descriptor)
            return nil
        }
        _ = unsafe madvise(start, size, CInt(MADV_DONTDUMP))
        // A secret file is locked already, so this changes nothing.
        isLocked = unsafe lock_on_fault(start, size) == 0
        self.descriptor = descriptor
        unsafe bytes = UnsafeMutableRawBufferPointer(start: start, count: size)
    }

    private static func makeSecret(_ size: Int) -> MemoryFile? {
        let descriptor = create_secret_memory_file()
        guard descriptor >= 0 else { return nil }
        guard ftruncate(descriptor, size) == 0 else {
            close(descriptor)
            return nil
        }
        // Its pages count as locked memory, so a limit may prevent its mapping.
        return MemoryFile(descriptor, size)
    }

    private static func makeOrdinary(_ size: Int) -> MemoryFile? {
        let descriptor = unsafe create_memory_file("tokens")
        guard descriptor >= 0 else { return nil }
        guard ftruncate(descriptor, size) == 0, seal_memory_file(descriptor) == 0 else {
            close(descriptor)
            return nil
        }
        return MemoryFile(descriptor, size)
    }

    deinit {
        // The kernel needs some time to free hundreds of megabytes, and the cache's loop must not wait for that.
        let mapping = unsafe Mapping(bytes: bytes)
        DispatchQueue.global().async { [descriptor] in
            unsafe munmap(mapping.bytes.baseAddress, mapping.bytes.count)
            close(descriptor)
        }
    }

    /// A mapping that is not used any more.
    // `@unchecked Sendable`, because a pointer is not Sendable. It is sound, as it is created in `deinit`, when
    // nobody else has the memory, and its only holder unmaps it.
    @safe private struct Mapping: @unchecked Sendable {
        let bytes: UnsafeMutableRawBufferPointer
    }
}
