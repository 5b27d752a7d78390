"""Tests of the images' contents."""

from __future__ import annotations

import io
import json
import re
import tarfile
import uuid
from typing import TYPE_CHECKING, Final

import pytest
from support.emulators.docker import ROOT
from support.images.layers import added_bytes, added_files, settings
from support.images.leaks import leaks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker import DockerClient
    from docker.models.images import Image
    from support.emulators.docker import Images

LIMIT_BYTES: Final = 45_000_000

SERVICES: Final = {"autoscaling", "cloudwatch", "dynamodb", "ec2", "logs", "sqs", "ssm", "sts"}
CREDENTIAL_SERVICES: Final = {"signin", "sso", "sso-oidc"}
"""botocore itself calls these services when a profile gets its credentials from them."""

PACKAGES: Final = {
    "consumer": {
        *("boto3", "botocore", "dateutil", "jmespath", "msgspec", "s3transfer", "six.py"),
        *("urllib3", "watchtower"),
    },
    "producer": {
        *("annotated_doc", "annotated_types", "attr", "attrs", "boto3", "botocore", "dateutil"),
        *("jmespath", "jsonschema", "jsonschema_specifications", "markdown_it", "mdurl", "msgspec"),
        *("pydantic", "pydantic_core", "pygments", "referencing", "rich", "rpds", "s3transfer"),
        *("shellingham", "six.py", "typer", "typing_extensions.py", "typing_inspection"),
        "urllib3",
    },
}
VENV: Final = re.compile(r"opt/tidemill/(?:pyvenv\.cfg|lib64|bin/python[\d.]*)")
SITE: Final = re.compile(r"opt/tidemill/lib/python3\.\d+/site-packages/(.+)")
DATA_FILES: Final = {
    "_retry.json",
    "endpoints.json",
    "partitions.json",
    "sdk-default-configuration.json",
}
UNWANTED: Final = re.compile(
    r"(^|/)(\.git|tests?|pip|setuptools|wheel|node_modules|\.pytest_cache)(/|$)"
    r"|\.(c|h|cpp|pyx|a|o|whl|log|(?<!botocore/cacert\.)pem|key|env)$"
)


@pytest.fixture(scope="module", params=["consumer", "producer"])
def program(request: pytest.FixtureRequest) -> str:
    """Run the test for both images."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def base(docker_engine: DockerClient, images: Images) -> Image:
    """Provide the image that both are built on."""
    return docker_engine.images.get(images.base)


@pytest.fixture(scope="module")
def image(docker_engine: DockerClient, images: Images, program: str) -> Image:
    """Provide the image of the program."""
    return docker_engine.images.get(getattr(images, program))


@pytest.fixture(scope="module")
def files(image: Image, base: Image) -> list[tuple[str, bytes]]:
    """Provide paths and contents of all files that the image adds to its base."""
    return list(added_files(image, base))


def test_it_runs_as_a_numeric_user_that_is_not_root(image: Image) -> None:
    """Checks such as Kubernetes' runAsNonRoot need a numeric user."""
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", image.attrs["Config"]["User"])


def test_python_is_the_containers_first_process(image: Image, program: str) -> None:
    """With a shell as first process, SIGTERM would not reach Python."""
    assert image.attrs["Config"]["Entrypoint"] == ["python3", "-m", program]
    assert not image.attrs["Config"]["Cmd"]


def test_its_labels_describe_it(image: Image, program: str) -> None:
    """Labels follow the OCI image specification; the build's arguments give the origin."""
    labels = image.attrs["Config"]["Labels"]
    prefix = "org.opencontainers.image."
    assert labels[f"{prefix}title"] == f"Tidemill {program}"
    assert labels[f"{prefix}description"].endswith(".")
    assert {f"{prefix}{name}" for name in ("source", "revision", "version")} <= set(labels)


def test_it_adds_less_than_45_megabytes(image: Image, base: Image) -> None:
    """Messages wait while an instance pulls the image."""
    assert added_bytes(image, base) < LIMIT_BYTES


def test_no_file_in_it_is_out_of_place(files: list[tuple[str, bytes]], program: str) -> None:
    """The image holds packages and source, and nothing else from the build or the checkout."""
    paths = [path for path, _ in files]
    assert [path for path in paths if not belongs(path, program)] == []
    assert f"app/{program}/__main__.py" in paths


def test_all_of_its_source_is_there(files: list[tuple[str, bytes]], program: str) -> None:
    """The source is that of the repository, byte by byte."""
    source = {
        f"app/{path.relative_to(ROOT / 'images')}": path.read_bytes()
        for folder in ("shared", program)
        for path in (ROOT / "images" / folder).rglob("*.py")
    }
    assert {path: content for path, content in files if path.startswith("app/")} == source


def test_botocore_knows_the_services_that_are_called_and_no_other(
    files: list[tuple[str, bytes]],
) -> None:
    """The data of all services would be twenty times as large."""
    found = {
        match[1] for path, _ in files if (match := re.search(r"/botocore/data/([^/]+)/", path))
    }
    assert found == SERVICES | CREDENTIAL_SERVICES


def test_there_is_no_secret_in_it(image: Image, files: list[tuple[str, bytes]]) -> None:
    """No file, variable or build step of the image holds a secret."""
    assert leaks(files) == []
    assert leaks(settings(image)) == []


@pytest.fixture
def careless(docker_engine: DockerClient, images: Images) -> Iterator[Image]:
    """Provide a consumer image with secrets in a file of a lower layer and in its environment."""
    tag = f"careless-{uuid.uuid4().hex[:8]}"
    container = docker_engine.containers.create(images.consumer)
    try:
        container.put_archive("/app", _archive("credentials", secrets()["AWS access key id"]))
        token = secrets()["GitHub token"].decode()
        container.commit("tidemill/test", tag, changes=f"ENV TOKEN={token}")
    finally:
        container.remove()
    try:
        yield docker_engine.images.get(f"tidemill/test:{tag}")
    finally:
        docker_engine.images.remove(f"tidemill/test:{tag}")


def test_a_secret_in_an_image_would_be_found(careless: Image, base: Image) -> None:
    """The scan finds secrets in files and in the environment."""
    assert leaks(added_files(careless, base)) == ["AWS access key id in app/credentials"]
    assert "GitHub token in configuration" in leaks(settings(careless))
    assert not belongs("app/credentials", "consumer")


def secrets() -> dict[str, bytes]:
    """Return one invented secret of each kind, put together here so that no scanner finds it."""
    return {
        "AWS access key id": b"key = AKIA" + b"Q3EGRTZYLMNOPXYZ",
        "AWS secret key": b"aws_secret_access_" + b"key = " + b"q7" * 20,
        "private key": b"-----BEGIN RSA " + b"PRIVATE KEY-----\nMIIEow",
        "GitHub token": b"gh" + b"p_" + b"a1" * 18,
        "PyPI token": b"pypi-" + b"AgE" + b"x9" * 30,
        "Slack token": b"xox" + b"b-" + b"12345-" * 5,
        "JSON web token": b"ey" + b"J" + b"a" * 20 + b".ey" + b"J" + b"b" * 20 + b"." + b"c" * 30,
        "password in a URL": b"index: https://me:" + b"hunter2" + b"@pypi.internal/simple",
        "password in a setting": b"ENV DB_PASS" + b"WORD=" + b"abcdefgh12345678",
    }


@pytest.mark.parametrize("kind", secrets())
def test_each_kind_of_secret_is_found(kind: str) -> None:
    """Each kind is found in plain text and in a compressed file."""
    compressed = io.BytesIO()
    with tarfile.open(fileobj=compressed, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("empty"))
    assert f"{kind} in here" in leaks([("here", b"first line\n" + secrets()[kind] + b"\n")])
    assert leaks([("here", compressed.getvalue())]) == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b'"AccessKeyId": "AKIAIOSFODNN7EXAMPLE"', id="key-of-the-documentation"),
        pytest.param(b"re.compile('-----BEGIN PRIVATE KEY-----')", id="header-alone"),
        pytest.param(b"https://user:password@host.com", id="placeholder"),
        pytest.param(json.dumps({"NextToken": "string"}).encode(), id="word-token"),
    ],
)
def test_texts_about_secrets_are_passed_over(text: bytes) -> None:
    """Texts about secrets give no findings, or nobody would read the findings."""
    assert leaks([("here", text)]) == []


def belongs(path: str, program: str) -> bool:
    """Return whether a file may be in the program's image."""
    if VENV.fullmatch(path):
        return True
    if match := SITE.fullmatch(path):
        return _belongs_in_site(match[1], program)
    return bool(re.fullmatch(rf"app/(?:shared|{program})(?:/\w+)*/\w+\.py", path))


def _belongs_in_site(path: str, program: str) -> bool:
    top = path.partition("/")[0]
    if path.startswith("botocore/data/"):
        place, _, rest = path.removeprefix("botocore/data/").partition("/")
        return place in SERVICES | CREDENTIAL_SERVICES if rest else place in DATA_FILES
    if UNWANTED.search(path):
        return False
    return top in PACKAGES[program] | {"__pycache__"} or top.endswith(".dist-info")


def _archive(name: str, content: bytes) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()
