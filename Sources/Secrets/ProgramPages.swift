import CLinux

/// The mapped pages of the program's file and its libraries: code and constants.
package enum ProgramPages {
    /// Unmaps them all.
    ///
    /// A start touches far more pages than serving does. They stay in the kernel's cache, and those that are used again
    /// are mapped again, sixteen at a time, which takes about a microsecond.
    package static func unmap() { unmap_program_pages() }
}
