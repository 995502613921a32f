/// Reads the file's values and collects its faults.
struct ConfigurationReader {
    private let file: String
    /// Reads the files of `tenants_directory`.
    let directory: TenantsDirectory.Reader
    private(set) var faults: [ConfigurationFaults.Fault] = []

    init(file: String, directory: @escaping TenantsDirectory.Reader = TenantsDirectory.read) {
        self.file = file
        self.directory = directory
    }

    /// Takes the faults of another file's reader.
    mutating func take(_ other: ConfigurationReader) { faults += other.faults }

    /// Records a fault.
    mutating func note(_ line: Int?, _ key: String, _ message: String) {
        faults.append(.init(file: file, line: line, key: key, message: message))
    }

    /// Records a fault of a value.
    mutating func note(_ item: Item, _ message: String) { note(item.line, item.path, message) }

    /// Reads a mapping's keys into settings.
    ///
    /// Its other keys are faults, and so is a value that is no mapping.
    ///
    /// - Parameters:
    ///   - together: Reads the keys that need one another, after all others.
    ///   - check: Checks the values together. It is called if each one is right.
    mutating func section<Root>(
        _ item: Item,
        _ settings: [Setting<Root>],
        _ root: inout Root,
        together: (inout ConfigurationReader, inout Section, inout Root) -> Void = { _, _, _ in },
        check: (inout ConfigurationReader, Section, Root) -> Void = { _, _, _ in }
    ) {
        guard var section = Section(item.node, path: item.path, line: item.line) else {
            return note(item, "should be a mapping of \(settings.map(\.key).joined(separator: ", "))")
        }
        let (whole, before) = (section, faults.count)
        read(&section, settings, &root)
        together(&self, &section, &root)
        noteUnknown(section, known: settings.map(\.key))
        if faults.count == before { check(&self, whole, root) }
    }

    /// Reads those keys of a section that are read one by one.
    mutating func read<Root>(_ section: inout Section, _ settings: [Setting<Root>], _ root: inout Root) {
        for setting in settings {
            guard let read = setting.read else { continue }
            if let item = section.take(setting.key) {
                read(&self, item, &root)
            } else if setting.isRequired {
                noteMissing(setting.key, of: section)
            }
        }
    }

    /// Records that a section lacks a key.
    mutating func noteMissing(_ key: String, of section: Section) {
        note(section.line, section.dotted(key), "is missing")
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
