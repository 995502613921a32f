extension ControlCommand {
    /// All control requests, for people.
    package static let help = """
        Control requests, under /_control/ of the same server; bodies are JSON objects
          GET  behaviours                     this list
          GET  ca                             the certificate authority as PEM
          GET  counters                       what was counted, in all and by user and scope
          GET  requests                       the requests that came, with times, statuses and broken rules
          GET  violations                     the rules that were broken; empty where all is well
          POST reset                          forget what was counted, begin scripts anew
          POST settings                       any of: behaviour (everyone's script), behaviours ({VALUE: SCRIPT, ...}),
                                              script (for the next calls), revocation (script), latency_ms, lifetime (s),
                                              token_bytes, secrets ([...]), rate_per_minute (null: none), burst,
                                              certificate (valid, expired, not-yet-valid, wrong-name)
          POST hold                           replies wait; {"value":VALUE}: only that user's
          POST release                        they go on; {"count":N}: only the N oldest, and the gate stays shut
          POST live                           {"token":TOKEN}: whether it is live, as GET /api/v1/users/me with it tells
          POST revoke                         {"token":TOKEN}: revokes it from the tenant's side
          POST refuse                         {"for_ms":MS} (1000): all connections are reset, new ones refused

        """
}
