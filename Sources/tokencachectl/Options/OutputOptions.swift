import ArgumentParser

/// The option that chooses the form of the output.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print the daemon's reply as JSON.")
    var json = false
}
