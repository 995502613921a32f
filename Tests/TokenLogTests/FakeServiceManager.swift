import Foundation
import Testing
import TokenLog

/// A stand-in for the service manager.
///
/// It holds the descriptors of a log's files while no log exists, and carries out a log's orders when the test lets it.
final class FakeServiceManager {
    /// An order of the log to the manager.
    private enum Order {
        case put(TokenLog.StoredFile)
        case remove(String)
        case confirm(UInt64)
    }

    private(set) var files: [(name: String, descriptor: CInt)] = []
    /// The files that were stored since a log was last opened.
    private(set) var stored: [TokenLog.StoredFile] = []
    /// True if predecessors are removed as they should be.
    var removesPredecessors = true
    private var orders: [Order] = []

    deinit { for file in files { close(file.descriptor) } }

    /// Opens a log as the next daemon would, with the stored files.
    ///
    /// The orders of an earlier log are dropped.
    func open() throws -> TokenLog {
        stored = []
        orders = []
        let handedOver = files.map { ($0.name, dup($0.descriptor)) }
        let opened = TokenLog(stored: handedOver, in: nil, store: { [unowned self] in store($0) })
        let log = try #require(opened)
        finish(log)
        return log
    }

    /// The users whose tokens a log finds that is opened now, while another one may still write.
    func subjects() throws -> [String] {
        let handedOver = files.map { ($0.name, dup($0.descriptor)) }
        let opened = TokenLog(stored: handedOver, in: nil, store: { _ in })
        let log = try #require(opened)
        return log.restored.map(\.token.subject)
    }

    func add(_ descriptor: CInt, named name: String) { files.append((name, descriptor)) }

    /// Carries out all orders of a log.
    func finish(_ log: TokenLog) { while step(log) {} }

    /// Carries out the next order of a log, or returns false if there is none.
    @discardableResult
    func step(_ log: TokenLog) -> Bool {
        guard !orders.isEmpty else { return false }
        switch orders.removeFirst() {
        case .put(let file):
            remove(file.name)
            stored.append(file)
            files.append((file.name, dup(file.descriptor)))
        case .remove(let name): if removesPredecessors { remove(name) }
        case .confirm(let generation): freedSpace = log.stored(generation)
        }
        return true
    }

    /// True if the last stored file has space for tokens that had none before.
    private(set) var freedSpace = false

    private func store(_ file: TokenLog.StoredFile) {
        orders.append(.put(file))
        if let predecessor = file.predecessor { orders.append(.remove(predecessor)) }
        orders.append(.confirm(file.generation))
    }

    private func remove(_ name: String) {
        for file in files where file.name == name { close(file.descriptor) }
        files.removeAll { $0.name == name }
    }

    /// Reads or changes the bytes of a file.
    func withBytes<Result>(
        of name: String,
        _ body: (UnsafeMutableRawBufferPointer) throws -> Result
    ) throws -> Result {
        let file = try #require(files.first { $0.name == name })
        var status = stat()
        #expect(unsafe fstat(file.descriptor, &status) == 0)
        let size = Int(status.st_size)
        let start = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, file.descriptor, 0)
        guard unsafe start != MAP_FAILED else { throw POSIXError(.ENOMEM) }
        defer { unsafe munmap(start, size) }
        return try unsafe body(UnsafeMutableRawBufferPointer(start: start, count: size))
    }

    /// True if a file contains a text.
    func file(_ name: String, holds text: String) throws -> Bool {
        try unsafe withBytes(of: name) { unsafe Data($0).range(of: Data(text.utf8)) != nil }
    }
}

@available(*, unavailable)
extension FakeServiceManager: Sendable {}
