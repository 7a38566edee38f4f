"""The rules of the estate, one file each; this list is the only place that knows them all."""

from governance.lint.rule import Rule
from governance.rules.problem_json import problem_json

RULES: tuple[Rule, ...] = (problem_json,)
