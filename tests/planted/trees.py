"""A copy of the tree in which faults are planted, and built: only what depends on the file that was changed."""

import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor

from planted import translating

SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")
LEFT_OUT = shutil.ignore_patterns(
    ".git", "build", "dist", "*.so", "*.pyc", "__pycache__", ".*_cache", ".hypothesis", "*.egg-info"
)
COMPILER = [*(["ccache"] if shutil.which("ccache") else []), "gcc"]
FASTER = ["-O1", "-g0", "-w"]       # after what setup.py says
PATIENCE = 600                      # seconds for one call of a compiler


class DoesNotBuild(Exception):
    pass


class Tree:
    def __init__(self, root):
        self.root = root
        self.built = root.parent / f"{root.name}-built"     # modules without a fault
        self.extensions = {extension.name.split(".")[1]: extension for extension in translating.extensions(root)}
        self.original = None        # of the file that has a fault now: its path and text
        self.replaced = []          # modules that were built with a fault

    @classmethod
    def copy_of(cls, source, root):
        shutil.copytree(source, root, ignore=LEFT_OUT)
        return cls(root)

    @classmethod
    def copy_of_built(cls, tree, root):
        shutil.copytree(tree.root, root)
        shutil.copytree(tree.built, root.parent / f"{root.name}-built")
        return cls(root)

    def build_all(self, jobs):
        self.build(list(self.extensions), jobs)
        self.built.mkdir()
        for name in self.extensions:
            shutil.copy2(self.module(name), self.built)

    def plant(self, fault):
        """Returns how many modules were built anew."""
        path = self.root / fault.file
        text = path.read_text(encoding="utf-8")
        self.original = path, text
        path.write_text(text.replace(fault.old, fault.new), encoding="utf-8")
        self.replaced = [name for name in self.extensions if path in self.files_of(name)]
        self.build(self.replaced, 1)
        return len(self.replaced)

    def restore(self):
        path, text = self.original
        path.write_text(text, encoding="utf-8")
        for name in self.replaced:
            # a new file: the old one may still be mapped into a process that has not ended yet
            self.module(name).unlink(missing_ok=True)
            shutil.copy2(self.built / self.module(name).name, self.module(name))

    def module(self, name):
        return self.root / "micrograd_c" / f"{name}{SUFFIX}"

    # --- what a module is made of ---

    def files_of(self, name):
        seen = set()
        todo = [self.root / source for source in self.extensions[name].sources]
        todo.append(self.root / "micrograd_c" / f"{name}.pxd")
        while todo:
            path = todo.pop()
            if path not in seen and path.exists():
                seen.add(path)
                todo += self.named_in(path.read_text(encoding="utf-8"))
        return seen

    def named_in(self, text):
        """The files that a source includes or cimports from."""
        for header in re.findall(r'(?:#include|extern from) "([\w/]+\.h)"', text):
            yield self.root / "src" / header
            yield self.root / "src" / "ops" / header
        for module in re.findall(r"^from micrograd_c\.(\w+) cimport", text, re.MULTILINE):
            yield self.root / "micrograd_c" / f"{module}.pxd"
        for modules in re.findall(r"^from micrograd_c cimport ([\w, ]+)", text, re.MULTILINE):
            for module in modules.split(","):
                yield self.root / "micrograd_c" / f"{module.strip()}.pxd"

    # --- building ---

    def build(self, names, jobs):
        self.call([sys.executable, translating.__file__, *names])
        with ThreadPoolExecutor(jobs) as pool:
            for _ in pool.map(self.compile, names):
                pass

    def compile(self, name):
        extension = self.extensions[name]
        folder = pathlib.Path("build") / name
        (self.root / folder).mkdir(parents=True, exist_ok=True)
        flags = [f"-D{macro}={value}" for macro, value in extension.define_macros]
        flags += [f"-I{path}" for path in [*extension.include_dirs, sysconfig.get_path("include")]]
        flags += ["-fPIC", "-pthread", "-fwrapv", "-DNDEBUG", *extension.extra_compile_args, *FASTER]
        objects = []
        for source in extension.sources:
            source = pathlib.Path(source).with_suffix(".c")
            objects.append(str(folder / source.with_suffix(".o").name))
            self.call([*COMPILER, *flags, "-c", str(source), "-o", objects[-1]])
        linking = ["gcc", "-shared", "-pthread", *objects, *extension.extra_link_args, "-lm"]
        self.call([*linking, "-o", str(self.module(name))])

    def call(self, command):
        done = subprocess.run(command, cwd=self.root, capture_output=True, text=True, timeout=PATIENCE, check=False)
        if done.returncode:
            raise DoesNotBuild(f"{command[:2]} ...\n{done.stdout}{done.stderr}")
