"""What pyproject.toml, CITATION.cff, the workflows and the recipe say of versions and files is what the others say."""

import pathlib
import re

import pytest

import micrograd_c

ROOT = pathlib.Path(__file__).parents[1]
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
WORKFLOWS = ROOT / ".github" / "workflows"
RECIPE = ROOT / ".ci" / "conda" / "recipe.yaml"
CLASSIFIED = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', PYPROJECT)


def test_the_citation_is_of_this_version():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r"^version: (.*)$", citation, re.MULTILINE) == [micrograd_c.__version__]


def test_wheels_are_built_for_the_pythons_of_the_classifiers():
    built, = re.findall(r"^build = \[(.*)\]$", PYPROJECT, re.MULTILINE)
    assert re.findall(r'"cp3(\d+)-\*"', built) == [version.partition(".")[2] for version in CLASSIFIED]
    assert f'requires-python = ">={CLASSIFIED[0]}"' in PYPROJECT


def test_what_a_wheel_is_tested_with_is_there_and_has_no_sources_of_the_package():
    copied = re.search(r"^test-sources = \[(.*?)\]$", PYPROJECT, re.MULTILINE | re.DOTALL)[1]
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


@pytest.mark.skipif(not (ROOT / "setup.py").exists(), reason="what modules are built by is not beside the tests")
def test_only_modules_that_work_without_the_interpreters_lock_are_said_to():
    compatible = "freethreading_compatible" in (ROOT / "setup.py").read_text(encoding="utf-8")
    assert ("Programming Language :: Python :: Free Threading" in PYPROJECT) == compatible


# --- the recipe for conda ---

in_the_repository = pytest.mark.skipif(not RECIPE.exists(), reason="the recipe is in the repository only")


def found(pattern, text):
    what, = re.findall(rf"^ *{pattern}$", text, re.MULTILINE)
    return what


@in_the_repository
def test_the_recipe_is_of_this_version():
    assert found("version: ([0-9.]+)", RECIPE.read_text(encoding="utf-8")) == micrograd_c.__version__


@in_the_repository
@pytest.mark.parametrize(("there", "here"), [
    ("name: (.*)", 'name = "(.*)"'),
    ('summary: "(.*)"', 'description = "(.*)"'),
    ("license: (.*)", 'license = "(.*)"'),
    ("license_file: (.*)", r'license-files = \["(.*)"\]'),
    ("- micrograd-c = (.*)", 'micrograd-c = "(.*)"'),
])
def test_the_recipe_says_what_the_project_says(there, here):
    assert found(there, RECIPE.read_text(encoding="utf-8")) == found(here, PYPROJECT)


@in_the_repository
def test_the_recipe_builds_with_what_the_project_is_built_with():
    host = RECIPE.read_text(encoding="utf-8").partition("\n  host:\n")[2].partition("\n  run:\n")[0]
    wanted = re.findall('"([^"]+)"', found(r"requires = \[(.*)\]", PYPROJECT))
    assert re.findall("- (.*)", host.replace(" >", ">")) == ["python", "pip", *wanted]
