/* CSystemd: libsystemd, which only the module Systemd imports. */

#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>
#include <systemd/sd-login.h>
