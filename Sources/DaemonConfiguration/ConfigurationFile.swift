import SafeText

#if canImport(FoundationEssentials)
package import FoundationEssentials
#else
package import Foundation
#endif

extension DaemonConfiguration {
    /// The maximum size of the file in bytes: a configuration is a page of text, so a larger file is something else.
    static let maxFileSize = 1_048_576

    /// Reads and checks a file.
    package static func load(_ path: String) throws(ConfigurationFaults) -> DaemonConfiguration {
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: path))
        } catch {
            throw fault(path, "it can't be read: \(reason(error))")
        }
        return try parse(data, file: path)
    }

    /// Checks the content of a file.
    ///
    /// - Parameters:
    ///   - data: The file's content.
    ///   - file: The file's name, for faults.
    ///   - directory: Reads the files of `tenants_directory`.
    package static func parse(
        _ data: Data,
        file: String,
        directory: @escaping TenantsDirectory.Reader = TenantsDirectory.read
    ) throws(ConfigurationFaults) -> DaemonConfiguration {
        let root = try compose(data, file: file)
        var reader = ConfigurationReader(file: file, directory: directory)
        let configuration = reader.read(root)
        guard reader.faults.isEmpty, let configuration else {
            throw ConfigurationFaults(reader.faults, mainFile: file)
        }
        return configuration
    }

    /// Parses the YAML of a file of `tenants_directory`.
    static func compose(
        _ content: Result<[UInt8], PlainFile.Problem>,
        file: String
    ) throws(ConfigurationFaults) -> Node? {
        switch content {
        case .success(let bytes): return try compose(bytes, file: file)
        case .failure(let problem): throw fault(file, "\(problem)")
        }
    }

    private static func compose(
        _ bytes: some Collection<UInt8>,
        file: String
    ) throws(ConfigurationFaults) -> Node? {
        guard bytes.count <= maxFileSize else { throw fault(file, "it is larger than a configuration can be (1 MiB)") }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw fault(file, "it is not UTF-8") }
        do {
            return try YAMLDocument.read(text)
        } catch {
            throw ConfigurationFaults([syntaxFault(error, file: file)])
        }
    }

    private static func fault(_ file: String, _ message: String) -> ConfigurationFaults {
        ConfigurationFaults([.init(file: file, line: nil, key: "", message: message)])
    }

    private static func reason(_ error: any Error) -> String {
        switch (error as? CocoaError)?.code {
        case .fileReadNoSuchFile: "it doesn't exist"
        case .fileReadNoPermission: "this user may not read it"
        default: "it is no file, or the disk has a fault"
        }
    }

    /// The kind and line of a syntax fault, without the text around it, which may be a secret.
    private static func syntaxFault(_ error: YAMLError, file: String) -> ConfigurationFaults.Fault {
        let (line, message): (Int?, String) =
            switch error {
            case .syntax(let problem, let line): (line, "it is not YAML" + (problem.map { ": \($0)" } ?? ""))
            case .document(let problem, let line): (line, "it can't be read: \(problem)")
            case .repeatedKey(let key, let line): (line, "the key '\(key.forMessage)' appears twice in one section")
            }
        return .init(file: file, line: line, key: "", message: message)
    }
}

extension String {
    /// The number of characters of a value that a fault shows.
    private static let shownCharacters = 60

    /// The value for a message: cut to a length, and without control characters.
    var forMessage: String {
        let shown = String(String.UnicodeScalarView(unicodeScalars.prefix(Self.shownCharacters)))
        return shown.printable + (unicodeScalars.count > Self.shownCharacters ? "…" : "")
    }
}
