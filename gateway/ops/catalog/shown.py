"""What the catalog knows in the words of its API."""

from contracts.models.api_catalog import ApiChange, ApiEntry, ApiOperation, ApiRelease
from governance.catalog.catalog import Listed
from governance.catalog.history import Change
from governance.catalog.naming import api_page, operation_page
from governance.contract import Operation

HOME = "/catalog"


def entry(listed: Listed) -> ApiEntry:
    info, s = listed.contract.info, listed.standing
    return ApiEntry(
        key=listed.key, title=str(info.get("title") or listed.key)[:255], version=listed.contract.version[:255] or "0",
        description=str(info.get("description", ""))[:4000], layer=s.layer, domain=s.domain, owner=s.owner,
        lifecycle=s.lifecycle, audience=s.audience, slo=s.slo, classification=s.classification, lint=s.lint,
        tests=s.tests or None, published=s.published or None, digest=s.digest,
        operations=[_operation(listed.key, one) for one in listed.operations.values()][:2000],
        page=f"{HOME}/{api_page(listed.key)}",
    )  # fmt: skip


def release(change: Change) -> ApiRelease:
    told = [
        ApiChange(id=one.id, severity=one.severity.value, operation=one.operation[:1000], sentence=one.sentence[:4000])
        for one in change.findings[:1000]
    ]
    return ApiRelease(key=change.key, version=change.version, since=change.since or None, at=change.at, changes=told)


def _operation(key: str, operation: Operation) -> ApiOperation:
    return ApiOperation(
        id=operation.id, method=operation.method.upper(), path=operation.path,
        summary=str(operation.node.get("description") or operation.node.get("summary") or "")[:4000],
        scopes=sorted(operation.scopes), page=f"{HOME}/{operation_page(key, operation.id)}",
    )  # fmt: skip
