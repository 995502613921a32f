import NIOCore

/// Cuts what arrives into lines, however it was cut on its way.
struct LineFramer {
    /// A line has more bytes than any reply should.
    struct LineTooLong: Error {}

    private let longestLine: Int
    private var pending = ByteBuffer()
    /// So many pending bytes hold no line end: a long line that comes in many pieces is searched only once.
    private var searched = 0

    /// - Parameter longestLine: In bytes, without its end.
    init(longestLine: Int) { self.longestLine = longestLine }

    /// Takes what arrived.
    mutating func append(_ chunk: ByteBuffer) {
        pending.discardReadBytes()
        pending.writeImmutableBuffer(chunk)
    }

    /// The next whole line, without its end; nil: more has to arrive first.
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
