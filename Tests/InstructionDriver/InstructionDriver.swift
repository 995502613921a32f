import HitDriver

/// Runs a part of a hit's work under a tool that counts instructions.
///
/// `instruction-driver PART/SHAPE ROUNDS` prints the number of hits, and without arguments all pairs of parts and shapes.
/// `scripts/check-instructions` runs it under callgrind.
@main
struct InstructionDriver {
    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        guard let name = arguments.first, let rounds = arguments.last.flatMap(Int.init) else {
            for measurement in measurements { print(measurement.name) }
            return
        }
        for measurement in measurements where measurement.name == name {
            var driver = HitDriver(measurement.part, measurement.shape)
            print(driver.run(rounds: rounds))
        }
    }

    private static var measurements: [(name: String, part: HitDriver.Part, shape: RequestShape)] {
        HitDriver.Part.allCases.flatMap { part in
            RequestShape.allCases.filter { isMeasured(part, $0) }.map { ("\(part.rawValue)/\($0.rawValue)", part, $0) }
        }
    }

    /// True if a part's work depends on the shape, and does this shape.
    private static func isMeasured(_ part: HitDriver.Part, _ shape: RequestShape) -> Bool {
        switch part {
        case .parse: shape != .traced
        case .encode: shape == .integerID
        case .machine: true
        }
    }
}
