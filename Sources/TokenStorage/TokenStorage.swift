package import Secrets

// TokenStorage: the tokens, each once in memory.
//
// Purpose: a token is served from where the next daemon finds it. A restart that loses the tokens costs a mint for every
// user, at a tenant that allows a hundred calls per minute. The tokens must not be written to a disk, and must not be in
// memory twice.
//
// Promises: a record never moves, so its address can be used until it is removed. Removed records are overwritten at
// once. A daemon that is killed at any moment leaves only whole records. Memory that the kernel refuses costs the token
// that needed it, and nothing else.
//
// Parts: ``TokenStorage`` inserts and removes. ``TokenRecord`` and ``ClassRecord`` are views of the records, found by
// ``ClassTable`` and allocated by ``Slab``. ``AddressRange`` grows, and a ``PageSource`` has the memory.

/// The memory of the cached tokens.
///
/// It is used on one executor.
package final class TokenStorage {
    let range: AddressRange
    var slab: Slab
    var classes = ClassTable()
    /// The work that is left of taking over an earlier daemon's records.
    var restoration: Restoration?
    /// The number of tokens.
    ///
    /// An earlier daemon's tokens count from when they are restored.
    package internal(set) var count = 0

    /// The memory of all records.
    package let records: TokenRecords

    /// Creates a storage without tokens, or returns nil if there is no memory.
    ///
    /// - Parameters:
    ///   - pages: The source of its memory.
    ///   - onShortage: Called the first time that memory can't be locked. It must not block.
    package convenience init?(
        in pages: any PageSource,
        onShortage: @escaping (SecretMemory.Shortage) -> Void = { _ in }
    ) {
        guard let range = AddressRange(pages: pages, onShortage: onShortage), range.grow() else { return nil }
        self.init(range, regions: 1)
    }

    /// Takes over the memory of an earlier daemon.
    ///
    /// The storage is used at once. The records are found by ``restoreNext(_:now:to:)``.
    ///
    /// - Parameters:
    ///   - file: The files of the earlier daemon.
    ///   - onShortage: Called the first time that memory can't be locked. It must not block.
    ///   - inBackground: Runs a function on another thread, which reads records ahead, or does nothing.
    /// - Throws: The reason for which it can't be mapped.
    package convenience init(
        restoring file: TokenFile,
        onShortage: @escaping (SecretMemory.Shortage) -> Void = { _ in },
        inBackground: @escaping (@escaping @Sendable () -> Void) -> Void = { _ in }
    ) throws(MapRefusal) {
        guard let range = AddressRange(pages: file, onShortage: onShortage) else { throw .addresses }
        for end in file.ends { try range.map(upTo: end) }
        self.init(range, regions: file.regions)
        restoration = Restoration(end: file.regions, inBackground: inBackground)
    }

    private init(_ range: AddressRange, regions: Int) {
        self.range = range
        records = unsafe TokenRecords(range.start)
        slab = Slab(range, regions: regions)
    }

    /// The limit of the process's addresses in bytes (`RLIMIT_AS`), or nil if there is none.
    package static var addressLimit: Int? { AddressRange.limit }

    /// The number of bytes that were taken from the kernel.
    package var size: Int { slab.committed }

    /// The number of classes.
    package var classCount: Int { classes.count }

    /// True if no part of the memory can be swapped.
    package var isLocked: Bool { range.isLocked }

    /// Returns the size of a token's record in bytes.
    package func size(of id: RecordID) -> Int { slab.size(of: id) }

    // MARK: Tokens

    /// Stores a token, or returns nil if there is no memory for it.
    package func insert(_ token: NewToken) -> RecordID? {
        let length = TokenRecord.escapedLength(of: token.token)
        guard let size = TokenRecord.size(of: token, length: length), let id = slab.take(size, .tokens) else {
            return nil
        }
        guard let tokenClass = intern(token.tokenClass) else {
            slab.free(id)
            return nil
        }
        records[class: tokenClass].references += 1
        records[id].write(token, length: length, class: tokenClass)
        count += 1
        return id
    }

    /// Removes a token, and overwrites it.
    package func remove(_ id: RecordID) {
        count -= 1
        let tokenClass = records[id].classID
        slab.free(id)
        release(tokenClass)
    }

    // MARK: Classes

    private func intern(_ tokenClass: TokenClass) -> RecordID? {
        let encoded = tokenClass.encoded
        let hash = unsafe encoded.withUnsafeBytes { unsafe ClassTable.hash($0) }
        let found = unsafe encoded.withUnsafeBytes { unsafe classes.find(hash, $0, in: records) }
        if let found { return found }
        guard let id = slab.take(ClassRecord.size(encoded), .classes) else { return nil }
        records[class: id].write(encoded, hash: hash)
        classes.insert(id, in: records)
        return id
    }

    private func release(_ id: RecordID) {
        let record = records[class: id]
        record.references -= 1
        guard record.references == 0, restoration?.mayFindTokens != true else { return }
        drop(id)
    }

    /// Removes a class without tokens.
    func drop(_ id: RecordID) {
        classes.remove(id, in: records)
        slab.free(id)
    }
}

@available(*, unavailable)
extension TokenStorage: Sendable {}
