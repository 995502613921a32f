/// Why a text is not the JSON that the stand-in takes.
package struct JSONFault: Error, Equatable {
    /// One sentence without a full stop.
    package var sentence: String

    /// Names the reason.
    package init(_ sentence: String) {
        self.sentence = sentence
    }
}
