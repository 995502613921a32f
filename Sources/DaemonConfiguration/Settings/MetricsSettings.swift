/// The keys of the section `metrics`, which the reader reads together.
enum MetricsSettings {
    static let all: [Setting<DaemonConfiguration>] = [
        .special(
            "listen",
            form: """
                an address and a port, such as `127.0.0.1:9464`, `"[::1]:9464"` or `localhost:9464`, and no other name
                """,
            """
            The address at which the daemon serves `/metrics` (Prometheus's text format), `/healthz` (200 while its event \
            loops answer) and `/readyz` (200 unless `health` is failing, or the daemon starts or shuts down) by HTTP. There \
            is neither TLS nor a password, and each client sees the tenants' names. A reload to an address that cannot be \
            listened on fails. A start succeeds without it, `health` is degraded, and the daemon tries again every 10 s.
            """
        ),
        .special(
            "allow_remote",
            form: "`true` or `false`",
            default: "false",
            "True if `listen` may be an address that other machines can reach. It may not without this key."
        ),
    ]
}
