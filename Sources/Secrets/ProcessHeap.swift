import CLinux
import Glibc

/// Sets the C library's heap up; a thread that has begun to take from a heap of its own before that goes on with it.
package enum ProcessHeap {
    /// All threads take from one heap.
    ///
    /// One that a thread has for itself grows by a page at a time, with a system call each: that was a twelfth of the time
    /// in which a daemon takes over 100,000 tokens. A hit takes nothing from the heap, so nothing waits for another's turn.
    package static func shareAmongThreads() { _ = mallopt(M_ARENA_MAX, 1) }

    /// Small blocks that are given back are merged with their neighbours at once.
    ///
    /// Otherwise the C library gathers them, and goes through all that it has gathered when a large block is given back:
    /// after 100,000 tokens have gone that holds the event loop up for 30 ms.
    package static func mergeFreedBlocksAtOnce() { _ = mallopt(M_MXFAST, 0) }

    /// Large blocks are mapped one by one, and unmapped when they are given back.
    ///
    /// Otherwise the C library takes the largest that it has seen for normal from then on, and keeps their memory.
    package static func unmapLargeBlocks() { _ = mallopt(M_MMAP_THRESHOLD, largeBlock) }

    /// Gives pages that nobody uses back to the kernel; it may take milliseconds.
    package static func giveBack() { malloc_trim(0) }

    /// Larger than the buffers that connections use again and again.
    private static let largeBlock: CInt = 512 * 1_024

    /// From now on what is given back to the C library's heap is overwritten, so that copies of secrets in the buffers of
    /// libraries, which nobody overwrites, don't outlive them; but for the smallest blocks, which are too small for a token.
    ///
    /// It costs a pass over each block when it is taken and when it is given back.
    package static func overwriteFreedMemory() { _ = mallopt(M_PERTURB, freedByte) }

    /// What freed memory is filled with; what is taken is filled with its complement, zeroes.
    private static let freedByte: CInt = 0xFF
}
