/// An array that grows without moving its elements.
///
/// A full array copies all its elements, which at a million elements blocks the event loop for milliseconds. This one
/// adds a segment of a fixed size instead.
struct SegmentedArray<Element> {
    /// The maximum size of a segment in bytes, of which half is unused on average.
    private static var segmentBytes: Int { 16_384 }

    /// The binary logarithm of the number of elements in a segment, so that an index is split by shifting.
    private static var shift: Int {
        let count = max(1, segmentBytes / max(1, MemoryLayout<Element>.stride))
        return Int.bitWidth - 1 - count.leadingZeroBitCount
    }
    private static var segmentSize: Int { 1 << shift }

    private var segments: ContiguousArray<ContiguousArray<Element>> = []
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }
    var indices: Range<Int> { 0..<count }

    subscript(index: Int) -> Element {
        _read { yield segments[index >> Self.shift][index & (Self.segmentSize - 1)] }
        _modify { yield &segments[index >> Self.shift][index & (Self.segmentSize - 1)] }
    }

    mutating func append(_ element: Element) {
        if count == segments.count << Self.shift {
            var segment = ContiguousArray<Element>()
            segment.reserveCapacity(Self.segmentSize)
            segments.append(segment)
        }
        segments[count >> Self.shift].append(element)
        count += 1
    }

    /// Removes the last element.
    ///
    /// The array must not be empty.
    mutating func removeLast() {
        count -= 1
        segments[count >> Self.shift].removeLast()
        // One empty segment is kept, so that a count that moves across its border doesn't allocate each time.
        if segments.count > (count >> Self.shift) + 2 { segments.removeLast() }
    }
}
