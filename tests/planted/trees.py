"""A copy of the tree in which faults are planted, and built: only what depends on the file that was changed."""

import os
import pathlib
import shutil
import subprocess
import sys

LEFT_OUT = shutil.ignore_patterns(
    ".git", "build", "dist", "*.so", "*.pyc", "__pycache__", ".*_cache", ".hypothesis", "*.egg-info", "_core"
)
CORE = pathlib.Path("src") / "micrograd_c" / "_core"
PATIENCE = 1200     # seconds for a build


class DoesNotBuild(Exception):
    pass


class Tree:
    def __init__(self, root):
        self.root = root
        self.built = root.parent / f"{root.name}-built"     # the same without a fault

    @classmethod
    def copy_of(cls, source, root):
        shutil.copytree(source, root, ignore=LEFT_OUT)
        shutil.copytree(source / CORE, root / CORE, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
        # so that it is one package for whoever has the root on its path
        (root / "micrograd_c" / "_core").symlink_to(pathlib.Path("..") / CORE)
        return cls(root)

    @classmethod
    def copy_of_built(cls, tree, root):
        shutil.copytree(tree.built, root, symlinks=True)
        shutil.copytree(tree.built, root.parent / f"{root.name}-built", symlinks=True)
        return cls(root)

    def build_all(self):
        self.build()
        shutil.copytree(self.root, self.built, symlinks=True)

    def plant(self, fault):
        """Returns how many modules were built anew."""
        path = self.root / fault.file
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(fault.old, fault.new), encoding="utf-8")
        self.build()
        return len([path for path in self.changed() if path.suffix == ".so"])

    def restore(self):
        """With the times of all files, so that the next build finds nothing to do for this fault."""
        for path in self.changed():
            # a new file: the old one may still be mapped into a process that has not ended yet
            (self.root / path).unlink(missing_ok=True)
            shutil.copy2(self.built / path, self.root / path)

    def changed(self):
        """The files that are not as they were without a fault."""
        files = [path.relative_to(self.built) for folder in ("src", "build")
                 for path in (self.built / folder).rglob("*") if path.is_file()]
        return [path for path in files if not (self.root / path).exists()
                or (self.root / path).stat().st_mtime_ns != (self.built / path).stat().st_mtime_ns]

    def build(self):
        environment = {**os.environ, "MICROGRAD_C_BUILD": "checked", "CFLAGS": "-O1 -g0 -w"}
        if shutil.which("ccache"):
            environment["CC"] = "ccache gcc"
        done = subprocess.run(
            [sys.executable, "setup.py", "-q", "build_ext", "--inplace"], cwd=self.root, env=environment,
            capture_output=True, text=True, timeout=PATIENCE, check=False,
        )
        if done.returncode:
            raise DoesNotBuild(f"{done.stdout}{done.stderr}")
