extension OutputBuffer {
    /// Writes the parts of a reply into memory that has room for all of them.
    ///
    /// A part that doesn't fit is a fault of the code that asked for the memory, and traps.
    // `@safe`, because pointers are not. It is sound: each part is written only after a check that it ends within the
    // memory, and ``OutputBuffer/append(atMost:_:)``, which alone creates writers, lends the memory for the time of one
    // call, from which a writer that can't be copied doesn't escape.
    @safe struct Writer: ~Copyable {
        /// The position of the next part.
        private(set) var position: UnsafeMutableRawPointer
        private let end: UnsafeMutableRawPointer

        /// Creates a writer at the beginning of memory that outlives it.
        @inline(__always)
        init(_ start: UnsafeMutableRawPointer, capacity: Int) {
            unsafe position = start
            unsafe end = start + capacity
        }

        /// Writes text that needs no escapes.
        @inline(__always)
        mutating func write(_ text: StaticString) {
            unsafe write(text.utf8Start, count: text.utf8CodeUnitCount)
        }

        @inline(__always)
        mutating func write(_ bytes: borrowing Span<UInt8>) {
            unsafe bytes.withUnsafeBytes { unsafe write($0) }
        }

        @inline(__always)
        mutating func write(_ bytes: UnsafeRawBufferPointer) {
            if let start = bytes.baseAddress { unsafe write(start, count: bytes.count) }
        }

        /// Writes a number of at least zero in decimal digits.
        @inline(__always)
        mutating func write(decimal number: Int) {
            var left = number.magnitude
            let count = Self.digits(of: left)
            reserve(count)
            unsafe position += count
            var digit = unsafe position
            repeat {
                let tenth = left / 10
                unsafe digit -= 1
                unsafe digit.storeBytes(of: UInt8(truncatingIfNeeded: left &- tenth &* 10) | 0x30, as: UInt8.self)
                left = tenth
            } while left > 0
        }

        @inline(__always)
        private mutating func write(_ start: UnsafeRawPointer, count: Int) {
            reserve(count)
            unsafe position.copyMemory(from: start, byteCount: count)
            unsafe position += count
        }

        @inline(__always)
        private func reserve(_ count: Int) {
            precondition(unsafe count <= end - position, "a part of a reply is larger than its memory")
        }

        /// The number of decimal digits, which is at most five for the seconds of a token.
        @inline(__always)
        private static func digits(of number: UInt) -> Int {
            guard number >= 100_000 else {
                return 1 + (number >= 10 ? 1 : 0) + (number >= 100 ? 1 : 0) + (number >= 1_000 ? 1 : 0)
                    + (number >= 10_000 ? 1 : 0)
            }
            return 5 + digits(of: number / 100_000)
        }
    }
}
