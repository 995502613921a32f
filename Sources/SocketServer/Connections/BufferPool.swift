import TokenProtocol

/// Empty buffers for replies, whose memory is used again.
///
/// Connections without output keep none.
struct BufferPool {
    /// The number of buffers that are kept: about as many connections as are served in one turn.
    private static let maxSpare = 64

    private var spare: [OutputBuffer] = []

    /// An empty buffer.
    mutating func take() -> OutputBuffer { spare.popLast() ?? OutputBuffer() }

    /// Takes a buffer back whose bytes were sent.
    mutating func giveBack(_ buffer: consuming OutputBuffer) {
        if spare.count < Self.maxSpare { spare.append(buffer) }
    }
}
