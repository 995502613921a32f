import Yams

/// Reads the file's values and collects its faults.
struct ConfigurationReader {
    private let file: String
    private(set) var faults: [ConfigurationFaults.Fault] = []

    init(file: String) { self.file = file }

    /// Records a fault.
    mutating func note(_ line: Int?, _ key: String, _ message: String) {
        faults.append(.init(file: file, line: line, key: key, message: message))
    }

    /// Records a fault of a value.
    mutating func note(_ item: Item, _ message: String) { note(item.line, item.path, message) }

    /// Reads a mapping's known keys.
    ///
    /// Its other keys are faults, and so is a value that is no mapping.
    mutating func section(
        _ item: Item?,
        known: [String],
        _ read: (inout ConfigurationReader, inout Section) -> Void
    ) {
        guard let item else { return }
        guard var section = Section(item.node, path: item.path, line: item.line) else {
            return note(item, "should be a mapping of \(known.joined(separator: ", "))")
        }
        read(&self, &section)
        noteUnknown(section, known: known)
    }

    /// Records the keys of a section that are there more than once.
    mutating func noteRepeated(_ section: Section) {
        for (key, line) in section.repeated { note(line, section.dotted(key.forMessage), "appears twice") }
    }

    /// Records the keys of a section that are unknown, and those that are there twice.
    mutating func noteUnknown(_ section: Section, known: [String]) {
        noteRepeated(section)
        for (key, line) in section.keys where !known.contains(key) {
            let nearest = known.nearest(to: key).map { " (did you mean '\($0)'?)" } ?? ""
            note(line, section.dotted(key.forMessage), "is not a known key\(nearest)")
        }
    }
}
