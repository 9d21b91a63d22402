"""A FHIR resource in XML as the JSON that says the same (hl7.org/fhir/R4/xml.html and json.html): one reader reads both.

XML does not say what may repeat. An element that stands twice is a list, and so is one that R4 lets repeat and the reader of
notes asks for (`_REPEATED`). Extensions and ids of elements are passed over: no note needs them.
"""

from __future__ import annotations

from typing import Any

FHIR = "http://hl7.org/fhir"
_XHTML = "{http://www.w3.org/1999/xhtml}"

#: Elements that repeat wherever they stand, and those that do so in one parent.
_REPEATED = frozenset(
    {"entry", "contained", "content", "coding", "category", "author", "performer", "resultsInterpreter", "presentedForm"}
    | {"section", "qualification", "specialty"}
)
_REPEATED_IN = frozenset({("context", "encounter"), ("PractitionerRole", "code")})


def resource_of(root: Any) -> dict[str, Any] | None:
    """The resource that an element (of lxml) is, None if it is none of FHIR's."""
    namespace, _, kind = root.tag.rpartition("}") if isinstance(root.tag, str) else ("", "", "")
    if namespace != f"{{{FHIR}" or not kind[:1].isupper():
        return None
    return {"resourceType": kind, **_object(root, kind)}


def _object(element: Any, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for child in element:
        if not isinstance(child.tag, str):
            continue
        name = child.tag.rpartition("}")[2]
        value = _value(child, name)
        if name in found:
            before = found[name]
            found[name] = [*before, value] if isinstance(before, list) else [before, value]
        else:
            found[name] = [value] if name in _REPEATED or (kind, name) in _REPEATED_IN else value
    return found


def _value(element: Any, name: str) -> Any:
    """A word, a narrative as it stands, a resource inside of another one, or an object."""
    if element.tag.startswith(_XHTML):
        from lxml import etree

        return etree.tostring(element, encoding="unicode", with_tail=False)
    inside = [child for child in element if isinstance(child.tag, str)]
    if len(inside) == 1 and (resource := resource_of(inside[0])) is not None:
        return resource
    if "value" in element.attrib and all(child.tag.rpartition("}")[2] == "extension" for child in inside):
        return element.get("value")
    return _object(element, name)
