import SafeText

/// The tenant's own words about a failure, or the reason why it gave no answer.
struct UpstreamText {
    /// The words in one line, or nil if there are none.
    let text: String?

    /// - Parameters:
    ///   - status: The HTTP status, or nil if there was no answer.
    ///   - code: The tenant's code, or the daemon's code for the reason.
    ///   - title: The tenant's title of the error.
    ///   - isDenial: True if the failure is a denial, which always follows from an answer.
    init(status: Int?, code: String?, title: String?, isDenial: Bool = false) {
        guard let status else {
            let beginning = isDenial ? "the user's status in the tenant is" : "the tenant gave no answer:"
            text = code.map { "\(beginning) \($0.printable)" }
            return
        }
        let words = [code, title].compactMap { $0?.printable }.joined(separator: ": ")
        text = "the tenant answered \(status)" + (words.isEmpty ? "" : ", \(words)")
    }
}
