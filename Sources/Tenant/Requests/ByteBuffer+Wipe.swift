import NIOCore

extension ByteBuffer {
    /// Overwrites the bytes, unless the connection still holds the buffer: in that case only a copy is overwritten.
    mutating func wipe() {
        _ = unsafe withUnsafeMutableReadableBytes { unsafe $0.initializeMemory(as: UInt8.self, repeating: 0) }
        clear()
    }
}
