import ArgumentParser
import CArguments

/// The program's entry point, which runs the tool with the arguments that the kernel passed.
@main
enum Program {
    static func main() async {
        let arguments = (0..<argument_count()).compactMap { index in
            unsafe argument(index).map { unsafe String(cString: $0) }
        }
        await TokenCacheControl.main(Array(arguments.dropFirst()))
    }
}
