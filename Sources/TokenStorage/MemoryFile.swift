import CLinux
import Glibc

/// A file that exists only in memory.
///
/// Its content lives as long as its descriptor is held. It is a secret file (memfd_secret(2)) if the kernel has them:
/// not even root can open it through another process's descriptor, and it is never swapped. Otherwise it is an ordinary
/// memory file (memfd_create(2)).
///
/// Its size is that of the whole range of addresses, as a secret file gets its size only once. Only the pages in use take
/// memory.
final class MemoryFile: Sendable {
    let descriptor: CInt
    /// The size in bytes.
    let size: Int
    /// True if its pages are locked by themselves.
    let isSecret: Bool

    private init(_ descriptor: CInt, _ size: Int, isSecret: Bool) {
        self.descriptor = descriptor
        self.size = size
        self.isSecret = isSecret
    }

    /// Takes over a file of an earlier daemon, or closes it and returns nil if it is no regular file.
    ///
    /// This object owns the descriptor from here on.
    init?(takingOver descriptor: CInt) {
        var status = stat()
        let isFile = unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        self.descriptor = descriptor
        size = isFile ? Int(status.st_size) : 0
        // Only ordinary memory files have seals, so only they answer F_GET_SEALS.
        isSecret = fcntl(descriptor, 1034) < 0
        // Of a failed initialiser the deinitialiser closes the descriptor.
        guard isFile, size > 0 else { return nil }
    }

    /// Creates a secret file, or returns nil if there is none.
    static func makeSecret(size: Int) -> MemoryFile? {
        let descriptor = create_secret_memory_file()
        guard descriptor >= 0 else { return nil }
        let file = MemoryFile(descriptor, size, isSecret: true)
        return ftruncate(descriptor, size) == 0 ? file : nil
    }

    /// Creates an ordinary file, or returns nil if there is no memory.
    static func makeOrdinary(size: Int) -> MemoryFile? {
        let descriptor = unsafe create_memory_file("tokens")
        guard descriptor >= 0 else { return nil }
        let file = MemoryFile(descriptor, size, isSecret: false)
        return ftruncate(descriptor, size) == 0 && seal_memory_file(descriptor) == 0 ? file : nil
    }

    /// Maps a part at an address where addresses are reserved.
    ///
    /// - Parameter headroom: The number of bytes that could be mapped, too. A secret file counts as locked memory, of
    ///   which something must be left for other secrets.
    func map(at address: UnsafeMutableRawPointer, offset: Int, count: Int, headroom: Int = 0) -> MapOutcome {
        // A refused mapping could remove the reservation, so the kernel is asked at another address before.
        guard offset + count <= size else { return .refused(.addresses) }
        guard let trial = unsafe map(offset: offset, count: count + headroom) else {
            // The kernel's error for the limit of locked memory (mmap(2)).
            return .refused(errno == EAGAIN ? .lockedMemory : .addresses)
        }
        _ = unsafe munmap(trial, count + headroom)
        let flags = MAP_SHARED | MAP_FIXED
        let start = unsafe mmap(address, count, PROT_READ | PROT_WRITE, flags, descriptor, off_t(offset))
        return unsafe start == address ? .mapped : .lost
    }

    /// Maps a part of a file that is to grow, with a sixteenth of its size and a part as headroom.
    ///
    /// The next daemon has to map all of it, and may have more secrets.
    @Sendable static func grow(
        _ file: MemoryFile,
        at address: UnsafeMutableRawPointer,
        offset: Int,
        count: Int
    ) -> MapOutcome {
        unsafe file.map(at: address, offset: offset, count: count, headroom: AddressRange.part + offset / 16)
    }

    /// Maps a part anywhere, or returns nil if the kernel refuses.
    func map(offset: Int, count: Int) -> UnsafeMutableRawPointer? {
        let start = unsafe mmap(nil, count, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, off_t(offset))
        return unsafe start == MAP_FAILED ? nil : start
    }

    /// Takes memory from the kernel, or returns false if it has none.
    ///
    /// A secret file gets each page when it is first used.
    func commit(offset: Int, count: Int) -> Bool {
        var result: CInt
        repeat { result = allocate_pages(descriptor, off_t(offset), off_t(count)) } while result != 0 && errno == EINTR
        return result == 0 || errno == EOPNOTSUPP
    }

    /// Returns memory to the kernel, or returns false if that isn't possible, as with a secret file.
    func decommit(offset: Int, count: Int) -> Bool {
        release_pages(descriptor, off_t(offset), off_t(count)) == 0
    }

    deinit { close(descriptor) }
}
