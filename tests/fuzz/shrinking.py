"""From a program that fails to the smallest that fails in the same way, and its text."""

import re

import worlds


def smallest(entries, fails):
    """Entries with as many left out as possible, so that `fails(entries)`."""
    size = len(entries) // 2
    while size:
        k, removed = 0, False
        while k < len(entries):
            candidate = entries[:k] + entries[k + size:]
            if candidate and fails(candidate):
                entries, removed = candidate, True
            else:
                k += size
        if size > 1:
            size //= 2
        elif not removed:
            break
    return entries


def without_operands(entries, fails):
    """Values that are numbers instead of being computed, where that is enough, and so need no others."""
    for k, entry in enumerate(entries):
        made = re.match(r"(v\d+) = (?!Value\()", entry.source)
        if made and "\n" not in entry.source and "; " not in entry.source:
            for number in ("0.5", "2.0", "-1.5", "3"):
                candidate = [*entries[:k], worlds.Entry(f"{made[1]} = Value({number})"), *entries[k + 1:]]
                if fails(candidate):
                    entries = candidate
                    break
    return entries


def unwrapped(entries, fails):
    """Steps without what was put around them, where that is not needed."""
    for k, entry in enumerate(entries):
        inner = re.search(r"^try:\n((?:    .*\n)+)finally", entry.source, re.M) or re.search(
            r"^with no_grad\(\):\n((?:    .*(?:\n|\Z))+)\Z", entry.source, re.M)
        if inner:
            plain = re.sub(r"(?m)^    ", "", inner[1]).strip()
            candidate = [*entries[:k], worlds.Entry(plain, entry.here), *entries[k + 1:]]
            if fails(candidate):
                entries = candidate
    return entries


def pieces(entries):
    """Entries of one line with several statements, as one for each, where that is possible."""
    apart = []
    for entry in entries:
        if "\n" in entry.source or "; " not in entry.source or ":" in entry.source or "seed(" in entry.source:
            apart.append(entry)
        else:
            apart += [worlds.Entry(part, entry.here) for part in entry.source.split("; ")]
    return apart


def text(entries, difference):
    """A program of its own, against micrograd_c."""
    parts = worlds.HEADER.strip().split("\n\n\n")
    sources = [entry.source.replace("Later(", "Later(Garbage(") for entry in entries] + [difference.check]
    used = [part for part in parts[1:] if any(
        re.search(rf"\b{re.split('[ (:]', part)[1]}\(", source) for source in sources)]
    lines = ["\n\n\n".join([parts[0], *used]) + "\n\n\n"]
    lines.append("gc.disable()\n")
    last = len(entries) - 1
    for k, entry in enumerate(entries):
        if getattr(entry, "raised", None) and not (k == last and difference.kind[0] == "exception"):
            indented = "\n".join("    " + line for line in entry.source.split("\n"))
            lines.append(f"try:\n{indented}\nexcept Exception as error: assert type(error).__name__ == "
                         f"{entry.raised!r}\n")
        else:
            lines.append(entry.source + "\n")
    lines.append(f"{'' if difference.check.startswith(('assert', 'for', 'tape.')) else '# '}{difference.check}\n")
    return "".join(lines)
