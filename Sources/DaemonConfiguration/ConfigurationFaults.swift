import SafeText

/// Everything that is wrong with a configuration file, in the order of its lines.
package struct ConfigurationFaults: Error, Equatable, CustomStringConvertible {
    /// One thing that is wrong.
    package struct Fault: Error, Equatable, CustomStringConvertible {
        /// The file.
        package let file: String
        /// The line, from 1; nil where it is about the file itself.
        package let line: Int?
        /// The key with those around it, by dots; empty where it is about no key.
        package let key: String
        /// What it should be.
        package let message: String

        /// Makes a fault.
        package init(file: String, line: Int?, key: String, message: String) {
            self.file = file
            self.line = line
            // Names that the file gives stand in both.
            self.key = key.printable
            self.message = message.printable
        }

        /// `file:line: key: message`.
        package var description: String {
            let place = line.map { "\(file):\($0)" } ?? file
            return key.isEmpty ? "\(place): \(message)" : "\(place): \(key): \(message)"
        }
    }

    /// The faults; never empty.
    package let faults: [Fault]

    /// One fault a line.
    package var description: String { faults.map(\.description).joined(separator: "\n") }

    /// Puts faults in order.
    package init(_ faults: [Fault]) {
        // A stable order: two faults of one line stay as they were found.
        self.faults = faults.enumerated()
            .sorted { ($0.element.line ?? 0, $0.offset) < ($1.element.line ?? 0, $1.offset) }
            .map(\.element)
    }
}
