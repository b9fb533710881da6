"""check.py: reads the recipe as rattler-build does, for each platform, and prints what would be built.

It wants `pip install py-rattler-build`, and nothing of conda, which a build does.
"""

import pathlib

from rattler_build import PlatformConfig, RenderConfig, Stage0Recipe, VariantConfig

PLATFORMS = ["linux-64", "linux-aarch64", "osx-64", "osx-arm64", "win-64"]
VARIANTS = VariantConfig({"python": ["3.10.*", "3.15.*"], "c_compiler": ["gcc"], "c_stdlib": ["sysroot"]})


def main():
    recipe = Stage0Recipe.from_file(pathlib.Path(__file__).with_name("recipe.yaml"))
    for platform in PLATFORMS:
        for variant in recipe.render(VARIANTS, RenderConfig(PlatformConfig(target_platform=platform))):
            found = variant.recipe.to_dict()
            requirements = ", ".join(found["requirements"]["host"])
            print(f"{platform}: {found['package']['version']} {found['build']['string']}, from {requirements}")


if __name__ == "__main__":
    main()
