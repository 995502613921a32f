import SafeText

/// The result of one step of an examination.
package struct Finding: Sendable, Equatable {
    /// The judgement of a step.
    package enum Status: String, Sendable {
        case ok
        /// The step can't be done, and the text says why.
        case skipped
        /// Users get tokens, and something needs to be watched or changed.
        case warning
        /// It keeps users from getting tokens, or will do so.
        case failed
    }

    /// The step.
    package let check: Check
    /// The tenant, file or unit that was looked at, or nil for the installation as a whole.
    package let subject: String?
    package let status: Status
    /// A sentence that says what was found.
    package let found: String
    /// A sentence that says what to do, or nil if there is nothing to do.
    package let advice: String?

    /// Creates a finding whose texts are safe for a terminal.
    package init(_ check: Check, _ subject: String?, _ status: Status, _ found: String, _ advice: String? = nil) {
        self.check = check
        self.subject = subject?.printable
        self.status = status
        self.found = found.printable
        self.advice = advice?.printable
    }
}

extension Finding {
    static func ok(_ check: Check, _ subject: String? = nil, _ found: String) -> Finding {
        Finding(check, subject, .ok, found)
    }

    static func skipped(_ check: Check, _ subject: String? = nil, _ found: String, _ advice: String? = nil) -> Finding {
        Finding(check, subject, .skipped, found, advice)
    }

    static func warning(_ check: Check, _ subject: String? = nil, _ found: String, _ advice: String) -> Finding {
        Finding(check, subject, .warning, found, advice)
    }

    static func failed(_ check: Check, _ subject: String? = nil, _ found: String, _ advice: String) -> Finding {
        Finding(check, subject, .failed, found, advice)
    }
}
