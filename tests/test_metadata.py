"""What pyproject.toml, CITATION.cff and the workflows say of versions and files is what the others say."""

import pathlib
import re

import pytest

import micrograd_c

ROOT = pathlib.Path(__file__).parents[1]
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
WORKFLOWS = ROOT / ".github" / "workflows"
CLASSIFIED = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', PYPROJECT)


def test_the_citation_is_of_this_version():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r"^version: (.*)$", citation, re.MULTILINE) == [micrograd_c.__version__]


def test_wheels_are_built_for_the_pythons_of_the_classifiers():
    built, = re.findall(r"^build = \[(.*)\]$", PYPROJECT, re.MULTILINE)
    assert re.findall(r'"cp3(\d+)-\*"', built) == [version.partition(".")[2] for version in CLASSIFIED]
    assert f'requires-python = ">={CLASSIFIED[0]}"' in PYPROJECT


def test_what_a_wheel_is_tested_with_is_there_and_has_no_sources_of_the_package():
    copied, = re.findall(r"^test-sources = \[(.*?)\]$", PYPROJECT, re.MULTILINE | re.DOTALL)
    names = re.findall(r'"([^"]+)"', copied)
    assert {"pyproject.toml", "tests"} <= set(names)
    assert not {"micrograd_c", "src"} & set(names)
    assert [name for name in names if not (ROOT / name).exists()] == []


@pytest.mark.skipif(not WORKFLOWS.is_dir(), reason="the workflows are in the repository only")
def test_every_push_is_tested_with_the_pythons_of_the_classifiers():
    workflow = (WORKFLOWS / "ci.yml").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^ +(3\.\d+)$", workflow, re.MULTILINE)) == sorted(CLASSIFIED)
    assert "run: bash .ci/run\n" in workflow


@pytest.mark.skipif(not WORKFLOWS.is_dir(), reason="the workflows are in the repository only")
def test_only_a_tag_is_published_and_without_a_password():
    workflow = (WORKFLOWS / "wheels.yml").read_text(encoding="utf-8")
    publish = workflow.partition("\n  publish:\n")[2]
    assert "if: startsWith(github.ref, 'refs/tags/v')" in publish
    assert "id-token: write" in publish
    assert "secrets." not in workflow
