/* CYAML: LibYAML, which only the module DaemonConfiguration imports. */

#include <yaml.h>
