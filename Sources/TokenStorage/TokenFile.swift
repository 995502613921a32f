import Glibc
import Synchronization

/// The memory of a storage as a file, which the next daemon can take over.
///
/// There is a second file only if the first can't have more: it is secret and the limit of locked memory is reached, or
/// it was created under a limit of file sizes. All further parts of the memory are then in an ordinary file, at the same
/// offsets. What no file can have is in anonymous memory, and the next daemon doesn't get it.
@safe package final class TokenFile: PageSource, Sendable {
    /// The names of the first file and of the second.
    package static let names = ["tokens-a", "tokens-b"]

    private struct State {
        let page: HeadPage
        /// The second file.
        var second: MemoryFile?
        var onSecondFile: @Sendable (StoredFile) -> Void = { _ in }
        /// The start of the parts that are in no file, or nil if all are in files.
        var anonymousFrom: Int?
        var onAnonymousMemory: @Sendable (_ kept: Int) -> Void = { _ in }
    }

    /// A function that maps a further part of the first file at an address.
    typealias Mapper =
        @Sendable (_ file: MemoryFile, _ address: UnsafeMutableRawPointer, _ offset: Int, _ count: Int) -> MapOutcome

    private let first: MemoryFile
    private let growFirst: Mapper
    /// The number of bytes that an earlier daemon has used.
    private let takenOver: Int
    private let state: Mutex<State>

    private init(
        _ first: MemoryFile,
        _ page: HeadPage,
        second: MemoryFile? = nil,
        grow: @escaping Mapper
    ) {
        self.first = first
        unsafe growFirst = grow
        takenOver = page.head.regions.map(Self.end) ?? 0
        state = Mutex(State(page: page, second: second))
    }

    /// Creates an empty file that the next daemon is not to have, or returns nil if there is no memory.
    ///
    /// - Parameters:
    ///   - mayBeSecret: True if it may be one that only this process can read.
    package static func make(mayBeSecret: Bool = true) -> TokenFile? {
        unsafe make(mayBeSecret: mayBeSecret, grow: MemoryFile.grow)
    }

    /// Creates an empty file with its own mapper of further parts of the first file.
    static func make(mayBeSecret: Bool, grow: @escaping Mapper) -> TokenFile? {
        let size = largestFile
        let secret = mayBeSecret ? MemoryFile.makeSecret(size: size) : nil
        return secret.flatMap { unsafe TokenFile(empty: $0, grow: grow) }
            ?? MemoryFile.makeOrdinary(size: size).flatMap { unsafe TokenFile(empty: $0, grow: grow) }
    }

    private convenience init?(empty file: MemoryFile, grow: @escaping Mapper) {
        guard let page = HeadPage(of: file) else { return nil }
        page.head.write(identity: .random(in: 1...(.max)))
        unsafe self.init(file, page, grow: grow)
        page.head.regions = 1
    }

    /// Takes over the files of an earlier daemon, or closes them and returns nil if they are not to be read.
    ///
    /// That is so if the earlier daemon didn't want to keep them, or had another version.
    ///
    /// - Parameter stored: The inherited descriptors by their names. This object owns them from here on.
    package convenience init?(takingOver stored: [(name: String, descriptor: CInt)]) {
        let files = stored.compactMap { stored in
            MemoryFile(takingOver: stored.descriptor).map { StoredFile($0, name: stored.name) }
        }
        for file in files where file.name == Self.names[0] {
            guard let page = HeadPage(of: file.file), page.head.isValid, page.head.isKept else { continue }
            page.head.dropAnonymousRegions()
            guard let regions = page.head.regions,
                Self.end(min(regions, page.head.firstRegions ?? regions)) <= file.file.size
            else { continue }
            let second = files.first { $0.name == Self.names[1] && Self.isSecond($0.file, of: page.head) }
            if second == nil { page.head.dropSecondFile() }
            unsafe self.init(file.file, page, second: second?.file, grow: MemoryFile.grow)
            return
        }
        return nil
    }

    /// The largest size that the process may give to a file now, a multiple of the parts.
    private static var largestFile: Int {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else {
            return AddressRange.largest
        }
        return min(AddressRange.largest, Int(clamping: limit.rlim_cur) / AddressRange.part * AddressRange.part)
    }

    /// The number of bytes that the files can have, if a limit of file sizes (`RLIMIT_FSIZE`) bounds them, or nil.
    package var sizeLimit: Int? {
        Self.bound(state.withLock { $0.second?.size } ?? max(first.size, Self.largestFile))
    }

    /// The number of bytes that a new file can have, if a limit of file sizes (`RLIMIT_FSIZE`) bounds it, or nil.
    package static var sizeLimit: Int? { bound(largestFile) }

    private static func bound(_ size: Int) -> Int? { size < AddressRange.largest ? size : nil }

    // MARK: Keeping

    /// The files in their present number.
    package var stored: [StoredFile] {
        let files = [first] + state.withLock { [$0.second].compactMap(\.self) }
        return zip(files, Self.names).map { StoredFile($0, name: $1) }
    }

    /// Sets whether the next daemon is to have the tokens.
    ///
    /// It is one store, no matter how many tokens there are.
    package func setKept(_ isKept: Bool) { state.withLock { $0.page.head.isKept = isKept } }

    /// Sets the closure that is called when there is a second file.
    ///
    /// It is called on the storage's executor and must not block.
    package func onSecondFile(_ body: @escaping @Sendable (StoredFile) -> Void) {
        state.withLock { $0.onSecondFile = body }
    }

    /// Sets the closure that is called when the files can't have more, with the number of bytes that they have.
    ///
    /// It is called on the storage's executor and must not block.
    package func onAnonymousMemory(_ body: @escaping @Sendable (_ kept: Int) -> Void) {
        state.withLock { $0.onAnonymousMemory = body }
    }

    // MARK: The memory

    /// The ends of the parts of the memory in each of the files, in bytes, as an earlier daemon has left them.
    var ends: [Int] {
        state.withLock { state in
            let regions = state.page.head.regions ?? 1
            let split = state.page.head.firstRegions.map { min($0, regions) } ?? regions
            return [Self.end(split), Self.end(regions)]
        }
    }

    /// The number of regions that an earlier daemon has used.
    var regions: Int { state.withLock { max(1, $0.page.head.regions ?? 1) } }

    private static func end(_ regions: Int) -> Int {
        (regions * Region.size + AddressRange.part - 1) / AddressRange.part * AddressRange.part
    }

    package func map(at address: UnsafeMutableRawPointer, offset: Int, count: Int) -> MapOutcome {
        guard let file = file(at: offset) else { return unsafe AnonymousPages.map(at: address, count: count) }
        // The last daemon's tokens must be found at once, and a file without any part would have none.
        if offset < takenOver { return unsafe file.map(at: address, offset: offset, count: count) }
        let outcome = unsafe grow(file, at: address, offset: offset, count: count)
        guard case .refused = outcome, offset > 0 else { return outcome }
        let again = unsafe AnonymousPages.map(at: address, count: count)
        if again == .mapped { endFiles(at: offset) }
        return again
    }

    private func grow(_ file: MemoryFile, at address: UnsafeMutableRawPointer, offset: Int, count: Int) -> MapOutcome {
        guard file === first else { return unsafe file.map(at: address, offset: offset, count: count) }
        let outcome = unsafe growFirst(first, address, offset, count)
        guard case .refused = outcome, offset > 0, let second = makeSecond() else { return outcome }
        let again = unsafe second.map(at: address, offset: offset, count: count)
        if again == .mapped { add(second, from: offset / Region.size) }
        return again
    }

    package func isLocked(at offset: Int) -> Bool { file(at: offset)?.isSecret ?? false }

    package func commit(at address: UnsafeMutableRawPointer, offset: Int, count: Int) -> Bool {
        file(at: offset)?.commit(offset: offset, count: count) ?? true
    }

    package func decommit(at address: UnsafeMutableRawPointer, offset: Int, count: Int) -> Bool {
        guard let file = file(at: offset) else { return unsafe AnonymousPages.decommit(at: address, count: count) }
        return file.decommit(offset: offset, count: count)
    }

    /// Returns the file that has the memory at an offset, or nil if it is in no file.
    private func file(at offset: Int) -> MemoryFile? {
        state.withLock { state in
            if let end = state.anonymousFrom, offset >= end { return nil }
            guard let second = state.second, let split = state.page.head.firstRegions else { return first }
            return offset >= split * Region.size ? second : first
        }
    }

    /// Notes that all further parts of the memory are in no file.
    private func endFiles(at offset: Int) {
        let notify = state.withLock { state in
            state.anonymousFrom = offset
            state.page.head.fileRegions = offset / Region.size
            return state.onAnonymousMemory
        }
        notify(offset)
    }

    // MARK: The second file

    private func makeSecond() -> MemoryFile? {
        state.withLock { state in
            guard state.second == nil, let file = MemoryFile.makeOrdinary(size: Self.largestFile) else { return nil }
            guard let page = HeadPage(of: file) else { return nil }
            page.head.write(identity: state.page.head.identity)
            return file
        }
    }

    private func add(_ second: MemoryFile, from region: Int) {
        let notify = state.withLock { state in
            state.second = second
            state.page.head.firstRegions = region
            return state.onSecondFile
        }
        notify(StoredFile(second, name: Self.names[1]))
    }

    private static func isSecond(_ file: MemoryFile, of head: FileHead) -> Bool {
        guard let page = HeadPage(of: file) else { return false }
        return page.head.isValid && page.head.identity == head.identity && end(head.regions ?? 1) <= file.size
    }
}
