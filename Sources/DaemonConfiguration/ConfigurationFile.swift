import Yams

#if canImport(FoundationEssentials)
package import FoundationEssentials
#else
package import Foundation
#endif

extension DaemonConfiguration {
    /// A configuration is a page of text: what is larger is another file.
    private static let largestFile = 1_048_576

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

    /// Checks a text.
    ///
    /// - Parameters:
    ///   - data: The file's content.
    ///   - file: Its name, for faults.
    package static func parse(_ data: Data, file: String) throws(ConfigurationFaults) -> DaemonConfiguration {
        guard data.count <= largestFile else { throw fault(file, "it is larger than a configuration can be (1 MiB)") }
        guard let text = String(validating: data, as: UTF8.self) else { throw fault(file, "it is not UTF-8") }
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw ConfigurationFaults([syntaxFault(error, file: file)])
        }
        var reader = ConfigurationReader(file: file)
        let configuration = reader.read(root)
        guard reader.faults.isEmpty, let configuration else { throw ConfigurationFaults(reader.faults) }
        return configuration
    }

    private static func fault(_ file: String, _ message: String) -> ConfigurationFaults {
        ConfigurationFaults([.init(file: file, line: nil, key: "", message: message)])
    }

    private static func reason(_ error: any Error) -> String {
        switch (error as? CocoaError)?.code {
        case .fileReadNoSuchFile: "it doesn't exist"
        case .fileReadNoPermission: "this user may not read it"
        default: "it is no file, or a fault of the disk"
        }
    }

    /// The parser's own message shows the text around the fault, which may be a secret: only its kind and line are told.
    private static func syntaxFault(_ error: any Error, file: String) -> ConfigurationFaults.Fault {
        var line: Int?
        var message = "it is not YAML"
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _):
            (line, message) = (mark.line, "it is not YAML: \(problem)")
        case .composer(_, let problem, let mark, _): (line, message) = (mark.line, "it can't be read: \(problem)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            line = context.mark.line
            message = "the key '\(duplicates.first?.forMessage ?? "")' comes twice in one section"
        default: break
        }
        return .init(file: file, line: line, key: "", message: message)
    }
}

extension String {
    /// The longest part of a value that is shown in a fault.
    private static let shownCharacters = 60

    /// A value as it may stand in a message: cut, and without what steers a terminal.
    var forMessage: String {
        let shown = String(String.UnicodeScalarView(unicodeScalars.prefix(Self.shownCharacters))).withoutControls
        return shown + (unicodeScalars.count > Self.shownCharacters ? "…" : "")
    }

    /// A text without what steers a terminal or ends a line.
    var withoutControls: String {
        let shown = unicodeScalars.map { scalar -> Unicode.Scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: return "?"
            default: return scalar
            }
        }
        return String(String.UnicodeScalarView(shown))
    }
}
