/// The head of a memory file.
///
///     0 magic · 8 version · 16 identity · 24 check of these · 32 mark · 40 regions · 48 regions of the first file
///     56 regions of all files
///
/// Each of the last four is written by one store, so a daemon that is killed leaves the old or the new value.
@safe struct FileHead {
    /// The version of the layout and of the content of records.
    ///
    /// Files with another version are ignored.
    static let version: UInt64 = 3
    /// The text "tokenlog" as a number, which all versions have.
    private static let magic: UInt64 = 0x676f_6c6e_656b_6f74
    /// The mark of a file that the next daemon is to have.
    private static let mark: UInt64 = 0x7470_656b

    private enum Offset {
        static let version = 8
        static let identity = 16
        static let check = 24
        static let mark = 32
        static let regions = 40
        static let firstRegions = 48
        static let fileRegions = 56
    }

    private let start: UnsafeMutableRawPointer

    init(_ start: UnsafeMutableRawPointer) { unsafe self.start = start }

    /// Writes the head of an empty file, the magic last.
    func write(identity: UInt64) {
        store(Self.version, Offset.version)
        store(identity, Offset.identity)
        store(Checksum.mixed(Self.version, identity), Offset.check)
        store(Self.magic, 0)
    }

    /// True if it is the head of a file of this version.
    var isValid: Bool {
        load(0) == Self.magic && load(Offset.version) == Self.version
            && load(Offset.check) == Checksum.mixed(Self.version, identity)
    }

    /// A random number that only the files of one storage share.
    var identity: UInt64 { load(Offset.identity) }

    /// True if the next daemon is to have the tokens.
    var isKept: Bool {
        get { load(Offset.mark) == Self.mark }
        nonmutating set { store(newValue ? Self.mark : 0, Offset.mark) }
    }

    /// The number of regions, or nil if it is damaged.
    var regions: Int? {
        get { number(Offset.regions) }
        nonmutating set { setNumber(newValue, Offset.regions) }
    }

    /// The number of regions before those of the second file, or nil if there is no second file.
    var firstRegions: Int? {
        get { number(Offset.firstRegions) }
        nonmutating set { setNumber(newValue, Offset.firstRegions) }
    }

    /// The number of regions before those that are in no file, or nil if all are in files.
    var fileRegions: Int? {
        get { number(Offset.fileRegions) }
        nonmutating set { setNumber(newValue, Offset.fileRegions) }
    }

    /// Forgets the regions that were in no file.
    func dropAnonymousRegions() {
        guard let kept = fileRegions else { return }
        regions = min(kept, regions ?? 1)
        fileRegions = nil
    }

    /// Forgets the regions in a second file that is gone.
    func dropSecondFile() {
        guard let first = firstRegions else { return }
        regions = min(first, regions ?? 1)
        firstRegions = nil
    }

    /// Reads a number whose upper half is its complement.
    private func number(_ offset: Int) -> Int? {
        let (value, complement) = (UInt32(truncatingIfNeeded: load(offset)), UInt32(load(offset) >> 32))
        return value == ~complement ? Int(value) : nil
    }

    private func setNumber(_ number: Int?, _ offset: Int) {
        let value = number.map { UInt64(UInt32(clamping: $0)) | UInt64(~UInt32(clamping: $0)) << 32 }
        store(value ?? 0, offset)
    }

    private func load(_ offset: Int) -> UInt64 { unsafe start.load(fromByteOffset: offset, as: UInt64.self) }

    private func store(_ value: UInt64, _ offset: Int) {
        unsafe start.storeBytes(of: value, toByteOffset: offset, as: UInt64.self)
    }
}
