import Glibc
package import SystemPackage

/// Reads a file of bounded size, without ever waiting for a writer.
package enum PlainFile {
    /// The reason why a file can't be read, for operators.
    package enum Problem: Error, Equatable, CustomStringConvertible {
        /// There is no file of this name.
        case missing
        /// The rights of this user are not sufficient.
        case notPermitted
        /// It is a directory, a pipe or a device.
        case notAFile
        /// It has more bytes than this.
        case larger(than: Int)
        /// Another system call failed.
        case unreadable(Errno)

        /// A sentence with the file as "it".
        package var description: String {
            switch self {
            case .missing: "it doesn't exist"
            case .notPermitted: "this user may not read it"
            case .notAFile: "it is no regular file"
            case .larger(let limit): "it is larger than \(limit / 1_048_576) MiB"
            case .unreadable(let error): "it can't be read: \(error)"
            }
        }

        fileprivate init(_ error: Errno) {
            self =
                switch error {
                case .noSuchFileOrDirectory, .notDirectory: .missing
                case .permissionDenied, .notPermitted: .notPermitted
                default: .unreadable(error)
                }
        }
    }

    /// The number of bytes that are read at once.
    private static let partSize = 65_536

    /// Returns the content of a regular file.
    ///
    /// - Parameter limit: The largest size in bytes, a multiple of a MiB.
    package static func read(_ path: String, upTo limit: Int) throws(Problem) -> [UInt8] {
        do {
            // Non-blocking, because opening a pipe without a writer would block for ever.
            let options: FileDescriptor.OpenOptions = [.closeOnExec, .nonBlocking, .init(rawValue: O_NOCTTY)]
            let descriptor = unsafe try FileDescriptor.open(path, .readOnly, options: options)
            defer { try? descriptor.close() }
            guard try descriptor.stat().type == .regular else { throw Problem.notAFile }
            return try content(of: descriptor, upTo: limit)
        } catch {
            throw error as? Problem ?? Problem(error as? Errno ?? .ioError)
        }
    }

    private static func content(of descriptor: FileDescriptor, upTo limit: Int) throws -> [UInt8] {
        var content: [UInt8] = []
        var part = [UInt8](repeating: 0, count: partSize)
        while true {
            let count = unsafe try part.withUnsafeMutableBytes { unsafe try descriptor.read(into: $0) }
            guard count > 0 else { return content }
            content += part[..<count]
            guard content.count <= limit else { throw Problem.larger(than: limit) }
        }
    }
}
