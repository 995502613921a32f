/// A member that is written as `null` where it has no value.
///
/// Synthesized encoding leaves other optional members out.
@propertyWrapper
package struct Nullable<Value: Codable & Equatable & Sendable>: Codable, Equatable, Sendable, Omissible {
    /// The value.
    package var wrappedValue: Value?

    /// Creates a member.
    package init(wrappedValue: Value?) { self.wrappedValue = wrappedValue }

    /// Creates a member without a value.
    package init() { wrappedValue = nil }

    package init(from decoder: any Decoder) throws { wrappedValue = try Value?(from: decoder) }

    package func encode(to encoder: any Encoder) throws { try wrappedValue.encode(to: encoder) }
}
