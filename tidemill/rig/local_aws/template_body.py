"""Body of a template for CreateStack: all of it that the local AWS needs, within its size limit."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tidemill.scaling.template.document import Document

DASHBOARD: Final = "AWS::CloudWatch::Dashboard"


def template_body(document: Document) -> str:
    """Return a template as CreateStack takes it, which accepts 51,200 bytes.

    Texts for people, which nobody reads in a rig, are left out, and line ends in dashboards' JSON;
    on AWS, SAM uploads the template, whose limit is then 1 MB (CloudFormation User Guide,
    "Understand CloudFormation quotas").
    """
    texts = {"Metadata", "Description", "ConstraintDescription"}
    slim = {
        section: {
            name: {key: value for key, value in _short(part).items() if key not in texts}
            for name, part in document[section].items()
        }
        for section in ("Parameters", "Resources", "Outputs")
        if section in document
    }
    kept = {key: part for key, part in document.items() if key not in texts}
    return json.dumps(kept | slim, separators=(",", ":"))


def _short(part: Document) -> Document:
    """Return a resource, in a dashboard's body without the lines' ends and their indentation."""
    if part.get("Type") != DASHBOARD:
        return part

    def joined(value: Any) -> Any:  # noqa: ANN401 - any part of a template
        if isinstance(value, str):
            return re.sub(r"\n\s*", "", value)  # JSON has none within its texts
        if isinstance(value, list):
            return [joined(one) for one in value]
        return {name: joined(one) for name, one in value.items()}

    return part | {"Properties": joined(part["Properties"])}
