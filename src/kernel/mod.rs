//! Virtual time, tasks, randomness and the trace. Knows no machine, no domain, no web.
