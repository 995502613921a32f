/// A file in memory and the name under which the service manager stores it.
package struct StoredFile: Sendable {
    /// The name, one of ``TokenFile/names`` for a file of tokens.
    package let name: String
    let file: MemoryFile

    init(_ file: MemoryFile, name: String) {
        self.name = name
        self.file = file
    }

    /// Takes over a file of an earlier daemon, or closes it and returns nil if it is no regular file.
    package init?(takingOver descriptor: CInt, named name: String) {
        guard let file = MemoryFile(takingOver: descriptor) else { return nil }
        self.init(file, name: name)
    }

    /// Creates an ordinary file, or returns nil if there is no memory.
    package static func make(named name: String, size: Int) -> StoredFile? {
        MemoryFile.makeOrdinary(size: size).map { StoredFile($0, name: name) }
    }

    /// The descriptor, open while this value exists.
    package var descriptor: CInt { file.descriptor }
}
