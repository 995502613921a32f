import NIOCore

/// Splits the bytes of a connection into lines.
struct LineFramer {
    /// A line has more bytes than any reply.
    struct LineTooLong: Error {}

    private let longestLine: Int
    private var pending = ByteBuffer()
    /// The number of pending bytes that are known to have no line end, so that each byte is searched only once.
    private var searched = 0

    /// - Parameter longestLine: The longest line in bytes, without its end.
    init(longestLine: Int) { self.longestLine = longestLine }

    /// Adds bytes that have arrived.
    mutating func append(_ chunk: ByteBuffer) {
        pending.discardReadBytes()
        pending.writeImmutableBuffer(chunk)
    }

    /// The next complete line without its end, or nil if none has arrived.
    mutating func next() throws(LineTooLong) -> ByteBuffer? {
        let start = pending.readerIndex
        let end = pending.readableBytesView.dropFirst(searched).firstIndex(of: UInt8(ascii: "\n"))
        let length = end.map { $0 - start } ?? pending.readableBytes
        guard length <= longestLine else { throw LineTooLong() }
        searched = end == nil ? length : 0
        guard end != nil, let line = pending.readSlice(length: length) else { return nil }
        pending.moveReaderIndex(forwardBy: 1)
        return line
    }
}
