/// The grammar by which a subject, or a control request, says what the stand-in does.
///
///     subject = [ script ":" ] anything
///     script  = play *( "/" play )                    one step after another, for each key; the last one for ever
///     play    = [ count "*" ] [ "after-" ms "+" ] behaviour
///
/// A subject whose beginning names no behaviour is an ordinary one, so `urn:user:7` is. One that names a behaviour but
/// not its parameters is a fault, so that a misspelt test doesn't pass by getting the usual reply.
package enum BehaviourTable {
    /// The rows under their headings.
    package static let groups: [(heading: String, rows: [BehaviourRow])] = [
        ("Success", success), ("Refusals", refusals), ("Throttling", throttling), ("Faults", faults),
    ]

    /// What a subject or a user id asks for; nothing for an ordinary one.
    package static func script(ofSubject subject: String) throws -> Script? {
        guard let colon = subject.firstIndex(of: ":") else { return nil }
        let text = String(subject[..<colon])
        let namesBehaviour = text.split(separator: "/", omittingEmptySubsequences: false).contains { step in
            row(of: Step(step).name) != nil
        }
        return namesBehaviour ? try script(text) : nil
    }

    /// The script that a text names.
    package static func script(_ text: String) throws -> Script {
        let plays = try text.split(separator: "/", omittingEmptySubsequences: false).flatMap(plays(of:))
        guard let first = plays.first else { throw BehaviourFault("“\(text)” names no behaviour") }
        return Script(first, then: Array(plays.dropFirst()))
    }

    /// The grammar and all rows, for people.
    package static var help: String {
        groups.reduce(into: introduction) { text, group in
            text += "\n\(group.heading)\n"
            for row in group.rows {
                let form = row.name + row.parameters
                text += "  " + form + String(repeating: " ", count: max(2, 36 - form.count)) + row.summary + "\n"
            }
        }
    }

    private static let introduction = """
        A subject (or user id) may begin with what the tenant does for it: SCRIPT:ANYTHING
          SCRIPT   PLAY[/PLAY ...]   one play a call for that user and scope, the last one for ever
          PLAY     [COUNT*][after-MS+]BEHAVIOUR
        For example expires-20:alice, flap-2:alice, 2*reset-before/ok:alice, after-600+expires-10:alice.
        S and MS are seconds and milliseconds; what stands in brackets may be left out.

        """
}

extension BehaviourTable {
    /// A step of a script, taken apart.
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

    /// The row with the longest name that a text begins with, so that `expires-in-1` is not `expires`.
    private static func row(of text: Substring) -> BehaviourRow? {
        groups.flatMap(\.rows)
            .filter { row in text == row.name || text.hasPrefix(row.name + "-") }
            .max { one, other in one.name.count < other.name.count }
    }

    private static func plays(of text: Substring) throws -> [Script.Play] {
        let step = Step(text)
        guard let row = row(of: step.name) else { throw BehaviourFault("“\(step.name)” is no behaviour") }
        var reader = ParameterReader(String(step.name), after: row.name)
        var plays = try row.plays(String(step.name), &reader)
        try reader.end()
        if let latency = try step.latency.map(milliseconds) {
            for index in plays.indices { plays[index].latency = latency }
        }
        if let count = step.count {
            guard plays.count == 1 else { throw BehaviourFault("“\(text)” counts what is a script of its own") }
            plays[0].count = try number(count)
        }
        return plays
    }

    private static func number(_ text: Substring) throws -> Int {
        guard let number = Int(text), (1...1_000_000).contains(number) else {
            throw BehaviourFault("“\(text)” should be a count from 1 to 1,000,000")
        }
        return number
    }

    private static func milliseconds(_ text: Substring) throws -> Duration {
        guard let number = Int(text), (0...86_400_000).contains(number) else {
            throw BehaviourFault("“after-\(text)” should have milliseconds from 0 to 86,400,000")
        }
        return .milliseconds(number)
    }
}
