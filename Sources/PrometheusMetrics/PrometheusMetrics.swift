// PrometheusMetrics: metrics in the text format of Prometheus.
//
// Purpose: swift-metrics is an interface without an implementation. This module is one: a registry whose families are
// declared in one list, and the text that Prometheus reads. It promises that each family has a bounded number of
// series, that counters and gauges take no lock, and that a name that nobody has declared is not exported.
//
// Parts: ``MetricsRegistry`` makes the instruments of swift-metrics. ``MetricsCollection`` gathers their values and
// those that are read elsewhere, and renders the text.
