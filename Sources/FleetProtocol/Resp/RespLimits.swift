/// The limits of a value, beyond which a connection is given up.
package struct RespLimits: Sendable {
    /// The bytes of a value, with all that it contains.
    package var size: Int
    /// The bytes of a line, such as an error's.
    package var line: Int
    /// The number of aggregates within one another: a stream's entries need four.
    package var depth: Int

    /// Creates limits.
    package init(size: Int = 1 << 20, line: Int = 65_536, depth: Int = 8) {
        self.size = size
        self.line = line
        self.depth = depth
    }
}

/// A fault in the engine's bytes.
package enum RespFault: Error, Equatable {
    /// They are not RESP.
    case malformed
    /// A value or a line is longer than allowed.
    case tooLarge
    /// Aggregates are nested deeper than allowed.
    case tooDeep
}
