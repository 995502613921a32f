import Dispatch
import Secrets

/// Memory that is not in use at present, and its return to the kernel.
///
/// It takes milliseconds in which other threads can't allocate, so it is done on a queue of its own, and only when there
/// is much to return.
enum UnusedMemory {
    private static let queue = DispatchQueue(label: "tokencached.memory", qos: .background)

    /// Returns free blocks of the heap.
    static func trimHeap() { queue.async { ProcessHeap.trim() } }

    /// Returns free blocks of the heap, and unmaps the code that was used until now.
    static func release() { queue.async { releaseAll() } }

    /// Does the same, and waits for it.
    static func releaseAndWait() async {
        await withCheckedContinuation { continuation in
            queue.async {
                releaseAll()
                continuation.resume()
            }
        }
    }

    private static func releaseAll() {
        ProcessHeap.trim()
        ProgramPages.unmap()
    }
}
