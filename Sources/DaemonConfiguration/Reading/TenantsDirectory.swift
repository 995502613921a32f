#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The files of `tenants_directory`, each of which is one tenant.
package struct TenantsDirectory: Sendable {
    /// One file of the directory.
    package struct File: Sendable {
        /// The tenant's name: the file's without its suffix.
        package let name: String
        /// The path of the file.
        package let path: String
        /// The content, or the reason why there is none.
        package let content: Result<[UInt8], PlainFile.Problem>

        /// Creates a file that was read.
        package init(name: String, path: String, content: Result<[UInt8], PlainFile.Problem>) {
            self.name = name
            self.path = path
            self.content = content
        }
    }

    /// Reads a directory, or returns the sentence on why that is impossible.
    package typealias Reader = (_ path: String) -> Result<TenantsDirectory, Fault>

    /// The reason why a directory can't be read.
    package struct Fault: Error, Equatable {
        /// A sentence with the directory as "it".
        package let message: String

        /// Creates a fault.
        package init(_ message: String) { self.message = message }
    }

    /// The suffix of a tenant's file.
    private static let suffix = ".yaml"
    /// The most tenants of a directory: far more than the memory of their tokens allows.
    private static let maxFiles = 10_000

    /// The files, sorted by name.
    package let files: [File]

    /// Creates a directory of files that were read.
    package init(_ files: [File]) { self.files = files }

    /// Reads the files of a directory whose names end with `.yaml` and don't begin with a dot.
    package static func read(_ path: String) -> Result<TenantsDirectory, Fault> {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: path)
        } catch {
            return .failure(Fault(reason(error)))
        }
        let tenants = names.filter { $0.hasSuffix(suffix) && !$0.hasPrefix(".") }.map { $0.dropLast(suffix.count) }
        guard tenants.count <= maxFiles else { return .failure(Fault("it has more than \(maxFiles) tenants")) }
        return .success(TenantsDirectory(tenants.sorted().map { file(String($0), in: path) }))
    }

    private static func file(_ name: String, in directory: String) -> File {
        let path = (directory.hasSuffix("/") ? directory : directory + "/") + name + suffix
        let content = Result { () throws(PlainFile.Problem) in
            try PlainFile.read(path, upTo: DaemonConfiguration.maxFileSize)
        }
        return File(name: name, path: path, content: content)
    }

    private static func reason(_ error: any Error) -> String {
        switch (error as? CocoaError)?.code {
        case .fileReadNoSuchFile, .fileNoSuchFile: "it doesn't exist"
        case .fileReadNoPermission: "this user may not read it"
        default: "it is no directory, or the disk has a fault"
        }
    }
}
