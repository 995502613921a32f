"""A real Prometheus that scrapes a daemon every second, and the queries that the dashboard and the alerts make."""

import json
import pathlib
import re
import urllib.error
import urllib.parse
import urllib.request

import yaml
from stage import TIMEOUT, end, started, wait_for

CONFIG = pathlib.Path(__file__).resolve().parents[2] / "Config"
VARIABLES = {"$__rate_interval": "5s", "$instance": ".*", "$tenant": ".*"}
LISTENING = re.compile(r'msg="Listening on" address=(\S+)')
READY = "Server is ready to receive web requests."
COMPARISON = re.compile(r"==|!=|>=|<=|>|<")
ABSENT = re.compile(r"absent\((.*)\)", re.DOTALL)
NUMBER = re.compile(r"[\d.]+")
OUTSIDE = re.compile(r"[^\s(){}]")
"""A character that can stand outside of brackets."""

SET_OPERATOR = re.compile(r"(?:and|unless|or)\b(?:\s+(?:on|ignoring)\s*\([^)]*\))?")


class Prometheus:
    """The server's process, on a port that the kernel chooses."""

    def __init__(self, directory, target):
        rules = directory / "rules.yaml"
        rules.write_text(yaml.safe_dump(rules_without_thresholds()))
        configuration = yaml.safe_load((CONFIG / "prometheus/prometheus.yaml").read_text())
        configuration["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
        configuration["rule_files"] = [str(CONFIG / "prometheus/recording.yaml"), str(rules)]
        configuration["scrape_configs"][0]["static_configs"] = [{"targets": [target]}]
        file = directory / "prometheus.yaml"
        file.write_text(yaml.safe_dump(configuration))
        log = directory / "prometheus.log"
        self.process = started(
            [
                "prometheus",
                f"--config.file={file}",
                f"--storage.tsdb.path={directory / 'prometheus'}",
                "--web.listen-address=127.0.0.1:0",
            ],
            log,
        )
        try:
            found = wait_for(lambda: LISTENING.search(log.read_text()), "Prometheus listens", self.process)
            wait_for(lambda: READY in log.read_text(), "Prometheus is ready", self.process)
        except AssertionError:
            print(log.read_text())
            end(self.process)
            raise
        self.url = f"http://{found[1]}"

    def get(self, path, **parameters):
        """Returns the data of an answer of the server's interface."""
        address = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(address, timeout=TIMEOUT) as reply:
                return json.load(reply)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error.read().decode()}") from error

    def value(self, query):
        """Returns the largest value of a query now, or None if it is empty."""
        values = [float(series["value"][1]) for series in self.get("query", query=query)["result"]]
        return max(values, default=None)

    def series(self, query, start, stop, step=1):
        """Returns the labels and the points of a query's series, without points that are no number."""
        result = self.get("query_range", query=query, start=start, end=stop, step=step)["result"]
        found = [
            (series["metric"], [(when, float(value)) for when, value in series["values"] if value != "NaN"])
            for series in result
        ]
        return [(labels, points) for labels, points in found if points]

    def end(self):
        end(self.process)


def dashboard():
    """Returns the dashboard."""
    return json.loads((CONFIG / "grafana/tokencached.json").read_text())


def with_values(query):
    """Returns a query of the dashboard with a value for each of its variables."""
    for variable, value in VARIABLES.items():
        query = query.replace(variable, value)
    return query


def dashboard_queries():
    """Returns the title and the query of each of the dashboard's panels, annotations and variables."""
    board = dashboard()
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], with_values(target["expr"])
    for variable in board["templating"]["list"]:
        if found := re.fullmatch(r"label_values\((.*), \w+\)", str(variable.get("definition"))):
            yield f"variable {variable['name']}", with_values(found[1])


def outermost(pattern, text):
    """Returns the matches of a pattern that are in no brackets and in no quotation, each at the beginning of a word."""
    depth, quoted, index, found = 0, False, 0, []
    while index < len(text):
        character = text[index]
        begins = not quoted and depth == 0 and (index == 0 or not text[index - 1].isalnum())
        if begins and (match := pattern.match(text, index)):
            found.append(match)
            index = match.end()
            continue
        if character == '"':
            quoted = not quoted
        elif not quoted:
            depth += (character in "({[") - (character in ")}]")
        index += 1
    return found


def split(pattern, text):
    """Returns the parts of a text between the outermost matches."""
    start, parts = 0, []
    for match in outermost(pattern, text):
        parts.append(text[start : match.start()].strip())
        start = match.end()
    return [*parts, text[start:].strip()]


def operands(expression):
    """Returns what an alert's expression compares and combines, without numbers."""
    if absent := ABSENT.fullmatch(expression.strip()):
        return [absent[1]]
    found = []
    for side in (side for part in split(SET_OPERATOR, expression) for side in split(COMPARISON, part)):
        if not outermost(OUTSIDE, side):
            found += operands(side[1:-1])
        elif not NUMBER.fullmatch(side):
            found.append(side)
    return found


def alerts():
    """Returns the alerting rules."""
    groups = yaml.safe_load((CONFIG / "prometheus/alerts.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def rules_without_thresholds():
    """Returns the alerting rules such that each of them fires as soon as there are values."""
    changed = [{**rule, "expr": operands(rule["expr"])[0], "for": "0s"} for rule in alerts()]
    return {"groups": [{"name": "without-thresholds", "rules": changed}]}
