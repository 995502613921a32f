extension BehaviourTable {
    /// Behaviours of the API's operations only.
    static let operations: [Row] = [
        Row(
            "lost",
            "the call is done, and the connection is reset before the reply",
            usual.with(\.delivery, .cut(.beforeHead, .reset)).with(\.effect, .done)
        ),
        Row("done", "-STATUS", "the call is done, though the reply is STATUS") {
            .error(try $0.status()).with(\.effect, .done)
        },
        Row("faster", "another client creates the user first", usual.with(\.effect, .faster)),
        Row("invited", "a user is created as invited, whatever was asked for", usual.with(\.effect, .invited)),
        Row("half", "[-STATUS]", "only the first half of a patch is done, and the reply is STATUS (400)") {
            let status = try $0.status(default: 400)
            return (status == 204 ? Behaviour(204, .empty, contentType: nil) : .error(status)).with(\.effect, .half)
        },
        Row("replace-only", "400 for a patch with other operations than replace", usual.with(\.effect, .replaceOnly)),
    ]

    /// Reads a script for an operation of the API, for which the form of a token means nothing.
    package static func script(ofOperation text: String) throws -> Script {
        let script = try script(text, groups.flatMap(\.rows) + operations)
        for play in script.plays {
            var form = play.behaviour.form
            form.damage = nil
            if form != TokenForm() { throw StandInTenant.Fault("“\(play.text)” is for tokens only") }
        }
        return script
    }
}
