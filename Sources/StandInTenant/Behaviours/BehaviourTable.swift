/// The names of all behaviours, and the grammar in which a subject or a control request uses them.
///
///     subject = [ script ":" ] anything
///     script  = play *( "/" play )                    one step after another, for each key; the last one for ever
///     play    = [ count "*" ] [ "after-" ms "+" ] behaviour
///
/// A subject that doesn't begin with a behaviour's name is an ordinary one, such as `urn:user:7`. One that begins with a
/// name but lacks its parameters is a fault, so that a misspelt test doesn't pass by the usual reply.
package enum BehaviourTable {
    /// A behaviour with its name.
    package struct Row: Sendable {
        /// The name, which may contain hyphens.
        package var name: String
        /// The parameters that follow the name.
        ///
        /// Optional ones are in brackets.
        var parameters: String
        /// One sentence for readers of the help.
        var summary: String
        /// Reads the parameters and returns the steps, most often one.
        var plays: @Sendable (_ text: String, _ parameters: inout ParameterReader) throws -> [Script.Play]
    }

    /// The rows under their headings.
    package static let groups: [(heading: String, rows: [Row])] = [
        ("Success", success + expiries), ("Denials", denials), ("Throttling", throttling),
        ("Faults", connections + contents + replies),
    ]

    /// Returns the script that a subject or a user id begins with, if it does.
    package static func script(ofSubject subject: String) throws -> Script? {
        guard let colon = subject.firstIndex(of: ":") else { return nil }
        let text = String(subject[..<colon])
        let namesBehaviour = text.split(separator: "/", omittingEmptySubsequences: false).contains { step in
            row(of: Step(step).name, groups.flatMap(\.rows)) != nil
        }
        return namesBehaviour ? try script(text) : nil
    }

    /// Reads a script.
    package static func script(_ text: String) throws -> Script { try script(text, groups.flatMap(\.rows)) }

    /// Reads a script of behaviours that are in the rows.
    static func script(_ text: String, _ rows: [Row]) throws -> Script {
        let steps = text.split(separator: "/", omittingEmptySubsequences: false)
        return Script(plays: try steps.flatMap { step in try plays(of: step, rows) })
    }

    /// The grammar and all rows, for people.
    package static var help: String {
        (groups + [("Operations of the API only", operations)]).reduce(into: introduction) { text, group in
            text += "\n\(group.0)\n"
            for row in group.1 {
                let form = row.name + row.parameters
                text += "  " + form + String(repeating: " ", count: max(2, 36 - form.count)) + row.summary + "\n"
            }
        }
    }

    private static let introduction = """
        A subject (or user id) may begin with the tenant's behaviour towards it: SCRIPT:ANYTHING
          SCRIPT   PLAY[/PLAY ...]   one play a call for that user and scope, the last one for ever
          PLAY     [COUNT*][after-MS+]BEHAVIOUR
        For example expires-20:alice, flap-2:alice, 2*reset-before/ok:alice, after-600+expires-10:alice.
        S and MS are seconds and milliseconds. Brackets mark optional parts.

        """
}

extension BehaviourTable.Row {
    /// A row of one behaviour without parameters.
    init(_ name: String, _ summary: String, _ behaviour: Behaviour) {
        self.init(name, "", summary) { _ in behaviour }
    }

    /// A row of one behaviour with parameters.
    init(
        _ name: String,
        _ parameters: String,
        _ summary: String,
        _ behaviour: @escaping @Sendable (inout ParameterReader) throws -> Behaviour
    ) {
        self.init(name: name, parameters: parameters, summary: summary) { text, reader in
            [Script.Play(text: text, behaviour: try behaviour(&reader))]
        }
    }
}

extension BehaviourTable {
    /// The parts of a script's step.
    private struct Step {
        var count: Substring?
        var latency: Substring?
        var name: Substring

        init(_ text: Substring) {
            name = text
            if let star = name.firstIndex(of: "*") {
                count = name[..<star]
                name = name[name.index(after: star)...]
            }
            if name.hasPrefix("after-"), let plus = name.firstIndex(of: "+") {
                latency = name[..<plus].dropFirst("after-".count)
                name = name[name.index(after: plus)...]
            }
        }
    }

    /// Returns the row with the longest name that a text begins with, so that `expires-in-1` is not `expires`.
    private static func row(of text: Substring, _ rows: [Row]) -> Row? {
        rows.filter { row in text == row.name || text.hasPrefix(row.name + "-") }
            .max { one, other in one.name.count < other.name.count }
    }

    private static func plays(of text: Substring, _ rows: [Row]) throws -> [Script.Play] {
        let step = Step(text)
        guard let row = row(of: step.name, rows) else { throw StandInTenant.Fault("“\(step.name)” is no behaviour") }
        var reader = ParameterReader(String(step.name), after: row.name)
        var plays = try row.plays(String(step.name), &reader)
        try reader.end()
        if let latency = step.latency {
            let wait = Duration.milliseconds(try number(latency, 0...86_400_000))
            for index in plays.indices { plays[index].latency = wait }
        }
        if let count = step.count {
            guard plays.count == 1 else { throw StandInTenant.Fault("“\(text)” counts a script of its own") }
            plays[0].count = try number(count, 1...1_000_000)
        }
        return plays
    }

    private static func number(_ text: Substring, _ range: ClosedRange<Int>) throws -> Int {
        guard let number = Int(text), range.contains(number) else {
            throw StandInTenant.Fault("“\(text)” should be a number in \(range)")
        }
        return number
    }
}
