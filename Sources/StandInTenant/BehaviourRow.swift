/// A row of the table of behaviours: a name, its parameters, and what it does.
package struct BehaviourRow: Sendable {
    /// The name, which may hold hyphens.
    package var name: String
    /// The parameters as they follow the name; optional ones in brackets.
    package var parameters: String
    /// One sentence for the reader.
    package var summary: String
    /// Makes the steps that the row stands for.
    package var plays: @Sendable (_ text: String, _ parameters: inout ParameterReader) throws -> [Script.Play]

    /// A row that is one behaviour.
    init(
        _ name: String,
        _ parameters: String,
        _ summary: String,
        _ behaviour: @escaping @Sendable (inout ParameterReader) throws -> Behaviour
    ) {
        self.init(name, parameters, summary) { text, reader in
            [Script.Play(text: text, behaviour: try behaviour(&reader))]
        }
    }

    /// A row that stands for several steps.
    init(
        _ name: String,
        _ parameters: String,
        _ summary: String,
        plays: @escaping @Sendable (_ text: String, _ parameters: inout ParameterReader) throws -> [Script.Play]
    ) {
        self.name = name
        self.parameters = parameters
        self.summary = summary
        self.plays = plays
    }
}
