// Doctor: the examination of an installation, for `tokencachectl doctor`.
//
// Purpose: whoever sets the daemon up, or is called because users get no tokens, asks what is wrong and whose fault it
// is. This module looks at everything between the configuration and a token, in an order in which the first failure is
// the cause of later ones, and says for each step what was found and what to do.
//
// Promises: it changes nothing, except that a probe with a subject may mint one token. Every step ends in time. No
// finding shows a secret or a token, and texts from elsewhere are safe for a terminal.
//
// - `Probes` look at files, processes, sockets, units, the daemon and tenants, and return facts.
// - `Judgements` turn facts into findings. They have no input or output, so tests judge facts that they make up.
// - `Diagnosis` has the findings.
// - `Examination` performs the steps in order, and skips those that can't be done.
//
// It reads the configuration with the daemon's own modules instead of asking the program `tokencached --check-config`,
// because it needs the values and not only the faults: the tenants' hosts, authorities and proxies, the sockets'
// paths, and the files of the secrets.
