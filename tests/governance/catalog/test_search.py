"""A question finds what it means: exact ids first, then beginnings, words, and what is nearly that."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.catalog.excerpt import contract_of
from governance.catalog.search import index_of, words
from tests.governance.catalog.conftest import QUOTES

INDEX = index_of([("process/quotes/v1", contract_of(QUOTES, "quotes"))])


def names(whole, question):
    return [entry.name for entry in whole.index.search(question)]


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("get_quote", "get_quote"),
        ("process/quotes", "process/quotes"),
        ("read_qu", "read_quote"),
        ("quote check", "check_internally"),
        ("Money.amount", "Money.amount"),
        ("intrenally", "check_internally"),
        ("system crm", "system/crm"),
    ],
)
def test_the_best_comes_first(whole, question, first):
    assert names(whole, question)[0] == first


def test_an_exact_id_comes_before_what_only_begins_like_it(whole):
    assert names(whole, "Quote")[0] == "Quote"


def test_every_word_of_a_question_must_fit(whole):
    assert names(whole, "quote zebra") == []


def test_a_question_without_words_finds_nothing(whole):
    assert names(whole, " -- ") == []


def test_spelling_of_names_does_not_matter():
    assert words("sales_desk") == words("salesDesk") == words("Sales-desk")


@given(st.text(max_size=300))
def test_no_question_breaks_it(question):
    assert len(INDEX.search(question, most=5)) <= 5
