/// The place of a sealed value in the engine, to which it is bound.
///
/// A value that is moved to another name, tenant or fence, or is passed off as another kind, doesn't open.
package struct SealContext: Sendable, Equatable {
    /// The name of the key that has the value.
    package var name: String
    /// The fence that is stored with it, or zero.
    package var fence: Int64
    /// The engine's epoch that is stored with it, or empty.
    package var epoch: String
    /// The kind of value.
    package var kind: String

    /// The place of a token.
    package static func token(_ name: String, fence: Int64, epoch: String) -> SealContext {
        SealContext(name: name, fence: fence, epoch: epoch, kind: "token")
    }

    /// The place of a denial.
    package static func refusal(_ name: String) -> SealContext {
        SealContext(name: name, fence: 0, epoch: "", kind: "refusal")
    }

    /// The place of an event of a kind from a machine.
    static func event(_ names: EngineNames, kind: String, machine: String) -> SealContext {
        SealContext(name: names.events, fence: 0, epoch: machine, kind: "event \(kind)")
    }
}
