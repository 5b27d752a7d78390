"""Software bill of materials: what the wheel or an image contains, in CycloneDX 1.6.

The same input gives the same text: there is no time and no random serial number in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from tidemill.release.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

LOCKED: Final = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(\[[^]]*\])?==(?P<version>[^ ;\\]+)")
MARKER: Final = re.compile(r"[^;]+ ; [a-z_]+ ")
HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")
REQUIRED: Final = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Component:
    """A package: `reference` is its package URL; `needs` are the references of what it requires.

    One that is locked for some systems only is `optional`.
    """

    name: str
    version: str
    reference: str
    hashes: tuple[str, ...] = ()
    license: str | None = None
    needs: tuple[str, ...] = ()
    optional: bool = False


def locked(text: str, source: str) -> list[Component]:
    """Return the packages of a lock file, with the hashes that an installation accepts.

    Raises:
        ReleaseError: a line is not NAME==VERSION with hashes.
    """
    found = []
    for entry in re.sub(r"\\\n\s*", " ", text).splitlines():
        line = entry.strip()
        if not line or line.startswith("#"):
            continue
        match, hashes = LOCKED.match(line), tuple(HASH.findall(line))
        if match is None or not hashes:
            raise ReleaseError(f"{source}: {line[:60]!r} is not NAME==VERSION with a hash")
        name, version = match["name"], match["version"]
        found.append(
            Component(
                name,
                version,
                _of_python(name, version),
                hashes,
                optional=MARKER.match(line) is not None,
            )
        )
    return found


def installed(inventory: Mapping[str, Any], lock: Sequence[Component]) -> list[Component]:
    """Return what is in an image: Python, its packages, those of its system.

    Args:
        inventory: what tidemill.release.image_inventory printed in the image.
        lock: the image's lock file, for the hashes.

    Raises:
        ReleaseError: the image has not what is locked.
    """
    packages = {_plain(one["name"]): one for one in inventory["packages"]}
    wanted = {_plain(one.name): one for one in lock}
    missing = [
        f"{one.name} {one.version}"
        for name, one in wanted.items()
        if packages.get(name, {}).get("version") not in {one.version, None if one.optional else ""}
    ]
    if missing:
        raise ReleaseError(f"the image has not {', '.join(missing)}: build it anew")
    references = {name: _of_python(one["name"], one["version"]) for name, one in packages.items()}
    found = [
        Component(
            one["name"],
            one["version"],
            references[name],
            wanted[name].hashes if name in wanted else (),
            one["license"],
            _needs(one["requires"], references),
        )
        for name, one in packages.items()
    ]
    version = inventory["python"]
    found.append(Component("python", version, f"pkg:generic/python@{version}"))
    system = inventory["system"]
    found += [
        Component(
            one["name"],
            one["version"],
            f"pkg:deb/{system}/{quote(one['name'])}@{quote(one['version'], safe='')}"
            f"?arch={one['architecture']}&distro={system}-{inventory['system_version']}",
        )
        for one in inventory["system_packages"] or ()
    ]
    return found


def bill(name: str, version: str, kind: str, components: Iterable[Component]) -> dict[str, Any]:
    """Return the bill; `kind` is CycloneDX's type, such as application or container."""
    listed = sorted(
        {one.reference: one for one in components}.values(), key=lambda one: one.reference
    )
    needed = {reference for one in listed for reference in one.needs}
    root = f"pkg:generic/{quote(name, safe='')}@{quote(version, safe='')}"
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {"type": kind, "name": name, "version": version, "bom-ref": root}
        },
        "components": [_entry(one) for one in listed],
        "dependencies": [
            {
                "ref": root,
                "dependsOn": [one.reference for one in listed if one.reference not in needed],
            },
            *({"ref": one.reference, "dependsOn": sorted(one.needs)} for one in listed),
        ],
    }


def _entry(component: Component) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "type": "library",
        "name": component.name,
        "version": component.version,
        "bom-ref": component.reference,
        "purl": component.reference,
    }
    if component.license:
        entry["licenses"] = [{"license": {"name": component.license.splitlines()[0]}}]
    if component.hashes:
        # A lock file has the hash of each file that an index has of this version.
        entry["externalReferences"] = [
            {
                "type": "distribution",
                "url": f"https://pypi.org/project/{component.name}/{component.version}/",
                "hashes": [{"alg": "SHA-256", "content": one} for one in component.hashes],
            }
        ]
    return entry


def _needs(requires: Iterable[str], references: Mapping[str, str]) -> tuple[str, ...]:
    """Return the references of what a package requires and what is there; extras are left out."""
    found = set()
    for requirement in requires:
        match = REQUIRED.match(requirement)
        if match and "extra ==" not in requirement:
            found.add(references.get(_plain(match[0]), ""))
    return tuple(sorted(found - {""}))


def _of_python(name: str, version: str) -> str:
    return f"pkg:pypi/{_plain(name)}@{quote(version, safe='')}"


def _plain(name: str) -> str:
    """Return a package's name as indexes compare it ("Names and normalization", PyPA)."""
    return re.sub(r"[-_.]+", "-", name).lower()
