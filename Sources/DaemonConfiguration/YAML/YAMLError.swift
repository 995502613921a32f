/// A reason why a text can't be read as YAML.
///
/// The text itself is not part of it, because it may contain a secret.
enum YAMLError: Error {
    /// The text breaks a rule of YAML.
    ///
    /// - Parameters:
    ///   - problem: LibYAML's sentence, or nil if it gives no position either.
    case syntax(problem: String?, line: Int?)
    /// The text is YAML, but has no meaning as one document.
    case document(problem: String, line: Int)
    /// Two keys of one mapping are equal.
    case repeatedKey(String, line: Int)
}
