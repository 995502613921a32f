package import DaemonConfiguration
import Systemd

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The form in which the log's entries are written.
package enum LogForm: Sendable, Equatable {
    /// Entries with fields, sent to the journal.
    case journal
    /// Lines on standard error.
    ///
    /// If the journal reads it, each begins with its level.
    case lines(Style, isJournal: Bool)

    /// The style of a line.
    package enum Style: Sendable, Equatable {
        /// The message and its values, for a journal, which keeps the time itself.
        case summary
        case text(isColoured: Bool)
        case logfmt
        case json
    }

    /// The surroundings of the process, as far as they decide about the form.
    package struct Surroundings: Sendable, Equatable {
        /// True if standard error is the journal.
        package var standardErrorIsJournal = false
        /// True if this machine has a journal that takes entries.
        package var hasJournal = false
        /// True if standard error is a terminal.
        package var isTerminal = false
        /// True if the terminal may get colours.
        package var allowsColours = true

        /// Creates surroundings without a journal and a terminal.
        package init() {}
    }

    /// Chooses the form for a format of the configuration.
    package init(_ format: DaemonConfiguration.LogFormat, in surroundings: Surroundings) {
        let isJournal = surroundings.standardErrorIsJournal
        let isColoured = surroundings.isTerminal && surroundings.allowsColours
        self =
            switch format {
            case .automatic where isJournal && surroundings.hasJournal, .journal: .journal
            case .automatic where isJournal: .lines(.summary, isJournal: true)
            case .automatic where surroundings.isTerminal: .lines(.text(isColoured: isColoured), isJournal: false)
            case .automatic, .logfmt: .lines(.logfmt, isJournal: isJournal)
            case .text where isJournal: .lines(.summary, isJournal: true)
            case .text: .lines(.text(isColoured: isColoured), isJournal: false)
            case .json: .lines(.json, isJournal: isJournal)
            }
    }

    /// Returns a sentence on why a format can't be used, or nil if it can.
    package static func problem(
        with format: DaemonConfiguration.LogFormat,
        in surroundings: Surroundings
    ) -> String? {
        format == .journal && !surroundings.hasJournal ? "there is no journal on this machine" : nil
    }

    /// Returns an entry as a line.
    func line(_ entry: LogEntry) -> String {
        guard case .lines(let style, let isJournal) = self else { return entry.text() }
        let line =
            switch style {
            case .summary: entry.summary + "\n"
            case .text(let isColoured): entry.text(isColoured: isColoured)
            case .logfmt: entry.logfmt
            case .json: entry.json
            }
        return isJournal ? entry.prefixed(line) : line
    }
}

extension LogForm.Surroundings {
    /// The surroundings of this process.
    package static var ofProcess: Self {
        let environment = ProcessInfo.processInfo.environment
        var surroundings = Self()
        surroundings.standardErrorIsJournal = Journal.isStandardError(environment["JOURNAL_STREAM"])
        surroundings.hasJournal = Journal.isAvailable
        surroundings.isTerminal = StandardError.isTerminal
        surroundings.allowsColours = environment["NO_COLOR"]?.isEmpty ?? true && environment["TERM"] != "dumb"
        return surroundings
    }
}
