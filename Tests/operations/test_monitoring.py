"""The dashboard's queries and the alerts against a real Prometheus, while the daemon is under load."""

import subprocess
import time
import unittest

import load
from prometheus import Prometheus, alerts, dashboard_queries, operands
from stage import wait_for

EVENTS = {
    "hits": 'tokencached_token_lookups_total{result="hit"} > 1000',
    "shared mints": 'tokencached_token_lookups_total{result="coalesced"} > 0',
    "refreshes": "tokencached_refreshes_done_total > 5",
    "evictions": 'tokencached_evictions_total{cause="capacity"} > 0',
    "a hold": "max_over_time(tokencached_tenant_hold_seconds[5m]) > 0",
    "an open circuit": 'max_over_time(tokencached_tenant_circuit_state{state="open"}[5m]) > 0',
    "a recovery": 'tokencached_tenant_circuit_state{tenant="spare",state="closed"} > 0',
    "a reload": 'tokencached_reloads_total{outcome="applied"} > 0',
    "a revocation": "tokencached_revocations_total > 0",
    "rates": "rate(tokencached_requests_total[5s]) > 0",
}

FLEET = "tokencached_fleet_"
"""The beginning of the metrics that have no series, as the daemon under load is in no fleet."""


class Monitoring(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stage = load.stage()
        cls.addClassCleanup(cls.stage.end)
        cls.start = time.time()
        cls.prometheus = Prometheus(cls.stage.directory, cls.stage.metrics)
        cls.addClassCleanup(cls.prometheus.end)
        cls.load = load.Load(cls.stage)
        cls.addClassCleanup(cls.load.end)
        cls.wait("rates")
        for act in (cls.load.users, cls.load.operators, cls.load.throttle):
            act()
        cls.wait("a hold")
        cls.load.fail()
        cls.wait("an open circuit")
        cls.load.recover()
        for event in EVENTS:
            cls.wait(event)
        cls.load.users()
        cls.stop = time.time()

    @classmethod
    def wait(cls, event):
        wait_for(lambda: cls.prometheus.value(EVENTS[event]) is not None, f"Prometheus sees {event}")

    def test_no_query_of_the_dashboard_is_empty(self):
        for title, query in dashboard_queries():
            with self.subTest(title, query=query):
                self.assertEqual(bool(self.prometheus.series(query, self.start, self.stop)), FLEET not in query)

    def test_no_part_of_an_alert_is_empty(self):
        for alert in alerts():
            for query in operands(alert["expr"]):
                with self.subTest(alert["alert"], query=query):
                    self.assertEqual(bool(self.prometheus.series(query, self.start, self.stop)), FLEET not in query)

    def test_the_texts_of_the_alerts_can_be_filled_in(self):
        names = {alert["alert"] for alert in alerts() if FLEET not in alert["expr"]}
        wait_for(lambda: names == {alert["labels"]["alertname"] for alert in self.firing()}, "all alerts fire")
        for alert in self.firing():
            with self.subTest(alert["labels"]["alertname"]):
                self.assertEqual(alert["labels"]["instance"], "web-1.example")
                text = alert["annotations"]["summary"] + alert["annotations"]["description"]
                self.assertNotRegex(text, "error expanding|no value|%!|\\[\\]|  ")

    def test_promtool_accepts_the_metrics(self):
        connection = self.stage.connect(self.stage.admin)
        text = connection.ask({"op": "metrics"})[0]["body"]
        check = subprocess.run(
            ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False
        )
        self.assertEqual((check.returncode, check.stdout + check.stderr), (0, ""))

    def firing(self):
        return self.prometheus.get("alerts")["alerts"]


if __name__ == "__main__":
    unittest.main()
