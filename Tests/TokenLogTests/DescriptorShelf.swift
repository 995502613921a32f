import Foundation
import Testing
import TokenLog

/// Stands in for the service manager: holds the descriptors of a log's files while no log is there.
final class DescriptorShelf {
    private(set) var files: [(name: String, descriptor: CInt)] = []
    /// The names and generations of all that was ever stored.
    private(set) var stored: [TokenLog.StoredFile] = []
    /// Whether predecessors go as they should; a daemon that is killed in between leaves them.
    var removesPredecessors = true

    deinit { for file in files { close(file.descriptor) } }

    func store(_ file: TokenLog.StoredFile) {
        stored.append(file)
        files.append((file.name, dup(file.descriptor)))
        if removesPredecessors, let predecessor = file.predecessor { remove(predecessor) }
    }

    func remove(_ name: String) {
        for file in files where file.name == name { close(file.descriptor) }
        files.removeAll { $0.name == name }
    }

    func add(_ descriptor: CInt, named name: String) { files.append((name, descriptor)) }

    /// A log that was handed what is here, as the next daemon's would be.
    func open() throws -> TokenLog {
        stored = []
        let handedOver = files.map { ($0.name, dup($0.descriptor)) }
        let log = TokenLog(stored: handedOver, in: nil, store: { [unowned self] in store($0) })
        return try #require(log)
    }

    /// Reads or changes a file as it lies in memory.
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

    /// Whether a file holds a text.
    func file(_ name: String, holds text: String) throws -> Bool {
        try unsafe withBytes(of: name) { unsafe Data($0).range(of: Data(text.utf8)) != nil }
    }
}

@available(*, unavailable)
extension DescriptorShelf: Sendable {}
