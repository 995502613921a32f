import Foundation
import Testing

@testable import TokenStorage

/// The descriptors of a daemon's files, as the service manager holds them while no daemon runs.
final class MemoryFiles {
    private(set) var stored: [(name: String, descriptor: CInt)]

    /// Holds the files of a daemon that may still write them.
    init(of file: TokenFile) { stored = file.stored.map { ($0.name, dup($0.descriptor)) } }

    /// Holds files with these descriptors, which this object owns.
    init(_ stored: [(name: String, descriptor: CInt)]) { self.stored = stored }

    deinit { for file in stored { close(file.descriptor) } }

    /// The files as a daemon takes them over.
    func takeOver() -> TokenFile? {
        TokenFile(takingOver: duplicates)
    }

    /// Further descriptors of the files, which the caller owns.
    var duplicates: [(name: String, descriptor: CInt)] { stored.map { ($0.name, dup($0.descriptor)) } }

    /// The first file alone.
    var first: MemoryFiles { MemoryFiles([(stored[0].name, dup(stored[0].descriptor))]) }

    /// Returns a copy of the files as a daemon would leave them that is killed now.
    func copy() throws -> MemoryFiles {
        MemoryFiles(try stored.map { ($0.name, try copy(of: $0.descriptor)) })
    }

    private func copy(of descriptor: CInt) throws -> CInt {
        let size = lseek(descriptor, 0, SEEK_END)
        let copy = try #require(MemoryFile.makeOrdinary(size: Int(size)))
        var buffer = [UInt8](repeating: 0, count: Region.size)
        var position = lseek(descriptor, 0, Self.seekData)
        while position >= 0 {
            let count = unsafe pread(descriptor, &buffer, buffer.count, position)
            #expect(count > 0)
            #expect(unsafe pwrite(copy.descriptor, buffer, count, position) == count)
            position = lseek(descriptor, position + off_t(count), Self.seekData)
        }
        return dup(copy.descriptor)
    }

    /// Reads or changes the memory of the first file.
    func withBytes<Result>(_ body: (UnsafeMutableRawBufferPointer) throws -> Result) throws -> Result {
        let end = lseek(stored[0].descriptor, 0, SEEK_END)
        let size = min(Int(end), 64 << 20)
        let start = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, stored[0].descriptor, 0)
        let address = try unsafe #require(start == MAP_FAILED ? nil : start)
        defer { unsafe munmap(address, size) }
        return try unsafe body(UnsafeMutableRawBufferPointer(start: address, count: size))
    }

    /// True if the files contain a text.
    func contain(_ text: String) throws -> Bool {
        let text = Data(text.utf8)
        return stored.contains { file in
            var content = Data()
            var buffer = [UInt8](repeating: 0, count: Region.size)
            var position = lseek(file.descriptor, 0, Self.seekData)
            while position >= 0 {
                let count = unsafe pread(file.descriptor, &buffer, buffer.count, position)
                content.append(contentsOf: buffer.prefix(count))
                position = lseek(file.descriptor, position + off_t(count), Self.seekData)
            }
            return content.range(of: text) != nil
        }
    }

    /// SEEK_DATA, which the C library declares only with GNU's extensions.
    private static let seekData: CInt = 3
}

@available(*, unavailable)
extension MemoryFiles: Sendable {}
