import ArgumentParser

/// The option that chooses the form of the output.
package struct OutputOptions: ParsableArguments {
    @Flag(help: "Print the daemon's reply as JSON.")
    package var json = false

    package init() {}
}
