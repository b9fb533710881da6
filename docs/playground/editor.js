// A text area for programs: Tab indents, Enter keeps the indent. Esc and then Tab leaves it, as Tab does elsewhere.

const INDENT = "    ";

export function makeEditor(area) {
  let leaves = false;
  area.addEventListener("focus", () => { leaves = false; });
  area.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      leaves = true;
    } else if (event.key === "Tab" && !leaves && !event.ctrlKey && !event.altKey && !event.metaKey) {
      event.preventDefault();
      shift(area, event.shiftKey);
    } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && !event.isComposing) {
      event.preventDefault();
      insert(area, `\n${indentOfLine(area)}`);
    } else if (event.key !== "Shift") {
      leaves = false;
    }
  });
}

// As if typed, so that it can be undone.
function insert(area, text) {
  if (document.execCommand("insertText", false, text)) return;
  area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
}

const startOfLine = (area) => area.value.lastIndexOf("\n", area.selectionStart - 1) + 1;

function indentOfLine(area) {
  const line = area.value.slice(startOfLine(area), area.selectionStart);
  return line.match(/^ */)[0] + (line.trimEnd().endsWith(":") ? INDENT : "");
}

// Moves the selected lines to the right or to the left; without a selection Tab goes to the next place of four.
function shift(area, isBack) {
  const start = startOfLine(area), {selectionStart, selectionEnd} = area;
  if (selectionStart === selectionEnd && !isBack) {
    insert(area, " ".repeat(INDENT.length - ((selectionStart - start) % INDENT.length)));
    return;
  }
  const lines = area.value.slice(start, selectionEnd);
  const moved = isBack ? lines.replace(/^ {1,4}/gm, "") : lines.replace(/^(?=.)/gm, INDENT);
  if (moved === lines) return;
  area.setSelectionRange(start, selectionEnd);
  insert(area, moved);
  area.setSelectionRange(lines.includes("\n") ? start : start + moved.length, start + moved.length);
}
