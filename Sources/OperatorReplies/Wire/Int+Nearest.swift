extension Int {
    /// Creates the nearest integer towards zero, or zero if the value is not a number.
    package init(nearest number: Double) {
        self = Int(exactly: number.rounded(.towardZero)) ?? (number > 0 ? .max : number < 0 ? .min : 0)
    }
}
