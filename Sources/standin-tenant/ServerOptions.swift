import ArgumentParser
import FoundationEssentials
import Glibc
import StandInTenant

/// Where the program listens, and how it says so.
struct ServerOptions: ParsableArguments {
    @Option(help: "The port; 0: any free one.")
    var port = 0

    @Option(help: "The address; it has to be a loopback one.")
    var host = "127.0.0.1"

    @Option(help: "HTTP, or HTTPS with a certificate that is valid, expired or for another name.")
    var tls = StandInTenant.TransportSecurity.none

    @Option(help: ArgumentHelp("Write the certificate authority's PEM to a file.", valueName: "file"))
    var caOut: String?

    @Option(help: ArgumentHelp("Write the base URL to a file once it listens; it appears complete.", valueName: "file"))
    var readyFile: String?

    func validate() throws {
        guard (0...65_535).contains(port) else { throw ValidationError("The port is a number from 0 to 65535.") }
    }

    /// Enters the options into a configuration.
    func apply(to configuration: inout StandInTenant.Configuration) {
        configuration.port = port
        configuration.host = host
        configuration.tls = tls
    }

    /// Says that the stand-in listens: first by the files, last by the line, so that whoever waits for the line finds
    /// the files.
    func announce(_ tenant: StandInTenant) throws {
        if let caOut { try Self.write(tenant.certificateAuthorityPEM, to: caOut) }
        if let readyFile { try Self.write(tenant.baseURL + "\n", to: readyFile) }
        print(tenant.baseURL)
        fflush(nil)  // All streams, as the variable `stdout` isn't safe to read.
    }

    private static func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
    }
}

extension StandInTenant.TransportSecurity: ExpressibleByArgument {}
