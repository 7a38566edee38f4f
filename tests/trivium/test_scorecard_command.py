"""`trivium contracts scorecard`: the estate's own APIs, and a bar for pipelines."""

import json

from typer.testing import CliRunner

from trivium.commands.contracts import app


def run(tmp_path, *arguments):
    return CliRunner().invoke(app, ["scorecard", "--trend", str(tmp_path / "trend.jsonl"), *arguments])


def test_every_api_of_the_estate_is_scored_and_the_day_is_kept(tmp_path):
    done = run(tmp_path, "--format", "json")

    cards = json.loads(done.output)["scorecards"]
    assert {"process/orders/v1", "system/erp/v1", "experience/sales_desk/v1"} <= {card["api"] for card in cards}
    assert all(0 <= card["score"] <= 100 for card in cards)
    assert len((tmp_path / "trend.jsonl").read_text().splitlines()) == len(cards)


def test_a_pipeline_may_set_a_bar(tmp_path):
    passed, failed = run(tmp_path, "--at-least", "1"), run(tmp_path, "--at-least", "100", "--no-keep")

    assert (passed.exit_code, failed.exit_code) == (0, 1)


def test_metrics_that_are_none_are_refused(tmp_path):
    (tmp_path / "metrics").write_text("<html> nothing of the kind {")

    done = run(tmp_path, "--metrics", str(tmp_path / "metrics"))

    assert done.exit_code == 2
    assert "cannot be read as what /metrics shows" in " ".join(done.output.split())
