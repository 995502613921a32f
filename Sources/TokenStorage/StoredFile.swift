/// A file of tokens and the name under which the service manager stores it.
package struct StoredFile: Sendable {
    /// The name, one of ``TokenFile/names``.
    package let name: String
    let file: MemoryFile

    init(_ file: MemoryFile, name: String) {
        self.name = name
        self.file = file
    }

    /// The descriptor, open while this value exists.
    package var descriptor: CInt { file.descriptor }
}
