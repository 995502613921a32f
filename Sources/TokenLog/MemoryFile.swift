import CLinux
import Dispatch
import Glibc

/// A file that is memory alone, mapped: its content lives as long as somebody holds its descriptor.
///
/// Where the kernel has them, it is one of those that not even root can open through another process's descriptor and that
/// are never swapped (memfd_secret(2)); else an ordinary one (memfd_create(2)), which is locked while it is mapped.
// `@unchecked Sendable`, because a pointer is not Sendable, and sound: the memory is used where the log is, by the one
// object that has it. Elsewhere are used the descriptor, which never changes, and the tokens that are served from the memory:
// they are only read, by all, until the last reference goes, and only then overwritten, in a record that the log dropped
// before and doesn't look at any more (`LogFile.ServedToken`).
@safe final class MemoryFile: @unchecked Sendable {
    let descriptor: CInt
    /// All of it.
    let bytes: UnsafeMutableRawBufferPointer
    /// Whether its pages stay in memory; a limit of locked memory (`RLIMIT_MEMLOCK`) may keep them from that.
    let isLocked: Bool

    /// Makes a file of a size, zeroed; nil where there is no memory for it.
    static func make(size: Int) -> MemoryFile? { makeSecret(size) ?? makeOrdinary(size) }

    /// Maps a file that an earlier daemon made; nil where it is no such file.
    ///
    /// The descriptor is this object's from here on.
    convenience init?(takingOver descriptor: CInt) {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size > 0 else {
            close(descriptor)
            return nil
        }
        self.init(descriptor, Int(status.st_size))
    }

    /// Maps it, or closes it.
    private init?(_ descriptor: CInt, _ size: Int) {
        let start = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        guard let start = unsafe start, unsafe start != MAP_FAILED else {
            close(descriptor)
            return nil
        }
        _ = unsafe madvise(start, size, CInt(MADV_DONTDUMP))
        // A secret one is locked by itself; to ask for it once more changes nothing.
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
        // Its pages count as locked memory, so a limit may keep it from being mapped.
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
        // To give hundreds of megabytes back takes the kernel a while, in which the cache's loop must not wait.
        let mapping = unsafe Mapping(bytes: bytes)
        DispatchQueue.global().async { [descriptor] in
            unsafe munmap(mapping.bytes.baseAddress, mapping.bytes.count)
            close(descriptor)
        }
    }

    /// A mapping that nobody uses any more.
    // `@unchecked Sendable`, because a pointer is not Sendable, and sound: it is made in `deinit`, when nobody else has the
    // memory, and its only holder unmaps it.
    @safe private struct Mapping: @unchecked Sendable {
        let bytes: UnsafeMutableRawBufferPointer
    }
}
