import Tenant

/// The advice on a fault of a connection to a tenant.
enum FaultAdvice {
    /// Returns a sentence that says what to do.
    static func text(for fault: CallFault, _ report: TenantProbe.Report) -> String {
        let (host, port) = (report.host, report.port)
        switch fault.cause {
        case .noSuchName:
            return "correct the name in the configuration, if getent hosts \(host) doesn't find it either"
        case .nameUnresolved: return "see why this machine's resolver doesn't answer: resolvectl query \(host)"
        case .refused: return "see that the port is right, and that a server runs there: nc -vz \(host) \(port)"
        case .unreachable: return "see this machine's routes and firewall: ip route get ADDRESS, nft list ruleset"
        case .connectTimeout:
            return
                "a firewall may drop the packets: allow connections to \(host) port \(port), or set the tenant's proxy"
        case .localLimit: return "this machine has no descriptors, ports or memory left: ss -s, ulimit -n"
        case .notConnected: return "try it by hand: nc -vz \(host) \(port)"
        case .unknownAuthority:
            return
                "set the tenant's ca_file to the authority that signed it, which is a private one or that of a proxy "
                + "that intercepts TLS; or update ca-certificates"
        case .wrongName: return "correct the tenant's host, as a server for another name answers there"
        case .expired: return "the server's operator has to renew the certificate, unless this machine's clock is wrong"
        case .notYetValid: return "see that this machine's clock is right: timedatectl"
        case .tlsTimeout, .answerTimeout: return "the server is slow, or a firewall drops packets: try it with curl"
        case .tlsFailed: return "see that the port speaks TLS 1.2 or later: openssl s_client -connect \(host):\(port)"
        case .connectionLost: return "a firewall or proxy may end connections: try it by hand with curl"
        case .notHTTP: return "another service answers there: correct the tenant's host and port"
        case .authentication: return "correct the user and password of the tenant's proxy"
        case .forbidden: return "the proxy's operator has to allow CONNECT to the tenant"
        case .gateway: return "the proxy can't reach the tenant: ask the proxy's operator"
        case .shutDown: return "run the doctor again"
        }
    }
}
