"""The rules of the estate, one file each, in the order of their numbers; this list is the only place that knows them all."""

from governance.lint.rule import Rule
from governance.rules.api_id import api_id
from governance.rules.audience import audience
from governance.rules.bounded_arrays import bounded_arrays
from governance.rules.bounded_integers import bounded_integers
from governance.rules.bounded_strings import bounded_strings
from governance.rules.clean_paths import clean_paths
from governance.rules.closed_requests import closed_requests
from governance.rules.conditional_writes import conditional_writes
from governance.rules.date_names import date_names
from governance.rules.distinct_paths import distinct_paths
from governance.rules.enum_values import enum_values
from governance.rules.exact_money import exact_money
from governance.rules.examples_fit import examples_fit
from governance.rules.expected_errors import expected_errors
from governance.rules.extensible_enums import extensible_enums
from governance.rules.governed_data import governed_data
from governance.rules.idempotent_creates import idempotent_creates
from governance.rules.info_complete import info_complete
from governance.rules.kebab_case_paths import kebab_case_paths
from governance.rules.layer import layer
from governance.rules.lifecycle import lifecycle
from governance.rules.limits_announced import limits_announced
from governance.rules.nesting_depth import nesting_depth
from governance.rules.no_body_on_get import no_body_on_get
from governance.rules.no_nullable_booleans import no_nullable_booleans
from governance.rules.no_verbs_in_paths import no_verbs_in_paths
from governance.rules.object_at_top import object_at_top
from governance.rules.operation_id import operation_id
from governance.rules.operations_described import operations_described
from governance.rules.owner import owner
from governance.rules.paged_collections import paged_collections
from governance.rules.path_parameters import path_parameters
from governance.rules.plural_resources import plural_resources
from governance.rules.problem_json import problem_json
from governance.rules.references_resolve import references_resolve
from governance.rules.required_defined import required_defined
from governance.rules.secured_operations import secured_operations
from governance.rules.semantic_version import semantic_version
from governance.rules.servers import servers
from governance.rules.snake_case_parameters import snake_case_parameters
from governance.rules.snake_case_properties import snake_case_properties
from governance.rules.upstream_errors import upstream_errors
from governance.rules.used_components import used_components
from governance.rules.valid_document import valid_document

RULES: tuple[Rule, ...] = (
    valid_document,
    references_resolve,
    operation_id,
    path_parameters,
    distinct_paths,
    clean_paths,
    used_components,
    examples_fit,
    enum_values,
    required_defined,
    servers,
    info_complete,
    semantic_version,
    api_id,
    audience,
    layer,
    lifecycle,
    owner,
    operations_described,
    kebab_case_paths,
    plural_resources,
    no_verbs_in_paths,
    snake_case_properties,
    snake_case_parameters,
    date_names,
    nesting_depth,
    object_at_top,
    bounded_strings,
    bounded_arrays,
    bounded_integers,
    exact_money,
    closed_requests,
    no_nullable_booleans,
    extensible_enums,
    problem_json,
    expected_errors,
    limits_announced,
    upstream_errors,
    idempotent_creates,
    paged_collections,
    no_body_on_get,
    conditional_writes,
    secured_operations,
    governed_data,
)
