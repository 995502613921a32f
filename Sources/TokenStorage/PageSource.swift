/// The source of the pages of a storage's memory.
///
/// The memory is one range of addresses. Its parts are mapped one after another, then taken into use step by step.
package protocol PageSource: AnyObject {
    /// Maps readable and writable memory at an address.
    ///
    /// - Parameters:
    ///   - address: The start of the part, where addresses are reserved for it.
    ///   - offset: The offset of the part in the whole memory, in bytes.
    ///   - count: The number of bytes.
    func map(at address: UnsafeMutableRawPointer, offset: Int, count: Int) -> MapOutcome

    /// True if a mapped part is locked by itself.
    func isLocked(at offset: Int) -> Bool

    /// Takes memory from the kernel, so that its first use can't fail.
    ///
    /// - Returns: False if the kernel has none.
    func commit(at address: UnsafeMutableRawPointer, offset: Int, count: Int) -> Bool

    /// Returns overwritten memory to the kernel.
    ///
    /// - Returns: False if the kernel can't take it back. It stays in use then.
    func decommit(at address: UnsafeMutableRawPointer, offset: Int, count: Int) -> Bool
}

extension PageSource {
    /// False: a source's parts need to be locked, unless it says something else.
    package func isLocked(at offset: Int) -> Bool { false }
}
