import CLinux
import Glibc

/// Settings of the C library's heap.
///
/// They don't affect threads that use a heap of their own already.
package enum ProcessHeap {
    /// Makes all threads use one heap.
    ///
    /// A thread's own heap grows by one page at a time, with a system call each, which was a twelfth of the time in
    /// which a daemon restores 100,000 tokens. A hit allocates nothing, so no thread waits for another.
    package static func shareAmongThreads() { _ = mallopt(M_ARENA_MAX, 1) }

    /// Makes the C library merge freed small blocks with their neighbours at once.
    ///
    /// Otherwise it collects them, and walks through all of them when a large block is freed. After 100,000 tokens are
    /// gone that blocks the event loop for 30 ms.
    package static func mergeFreedBlocksAtOnce() { _ = mallopt(M_MXFAST, 0) }

    /// Makes the C library map large blocks one by one, and unmap them when they are freed.
    ///
    /// Otherwise it raises the limit to the largest block that it has seen, and keeps the memory of smaller ones.
    package static func unmapLargeBlocks() { _ = mallopt(M_MMAP_THRESHOLD, largeBlock) }

    /// Returns unused pages to the kernel, which may take milliseconds.
    package static func trim() { malloc_trim(0) }

    /// A size above the buffers that connections reuse.
    private static let largeBlock: CInt = 512 * 1_024

    /// Makes the C library overwrite freed memory.
    ///
    /// So copies of secrets in the buffers of libraries don't outlive those buffers. The smallest blocks are not
    /// overwritten, but are too small for a token. It costs a pass over each block when it is allocated and when it is
    /// freed.
    package static func overwriteFreedMemory() { _ = mallopt(M_PERTURB, freedByte) }

    /// The byte that freed memory is filled with.
    ///
    /// Allocated memory is filled with its complement, zero.
    private static let freedByte: CInt = 0xFF
}
