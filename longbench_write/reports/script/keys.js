// The keyboard.

function isTyping(target) {
  return target.closest("input, select, textarea, dialog") !== null;
}

/** The place of the row that the focus is in, null if it is in none. */
function focusedPlace() {
  const row = document.activeElement.closest("tr.row, tr.detail");
  return row === null ? null : Number(row.id.split("-")[1]);
}

function move(step) {
  const from = focusedPlace();
  const place = from === null ? (step > 0 ? 0 : null) : from + step;
  if (place === null || place < 0 || place >= list.rows.length) return;
  if (place >= list.shown) showMore(PAGE);
  rowButton(place).focus({ preventScroll: true });
  byId(`row-${place}`).scrollIntoView({ block: "nearest" });
}

/** Fold the row that the focus is in. */
function leave() {
  const place = focusedPlace();
  if (place !== null && byId(`detail-${place}`)) fold(place);
}

const keys = {
  j: () => move(1),
  k: () => move(-1),
  "/": () => byId("f-text").focus(),
  "?": () => byId("help").showModal(),
};

function onKey(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || byId("help").open) return;
  const arrows = { ArrowDown: 1, ArrowUp: -1 };
  if (event.key === "Escape") {
    leave();
  } else if (event.key === "Enter" && event.target === byId("f-text")) {
    event.preventDefault();
    rowButton(0)?.focus();
  } else if (event.key in arrows && event.target.matches(".unfold")) {
    event.preventDefault();
    move(arrows[event.key]);
  } else if (event.key in keys && !isTyping(event.target)) {
    event.preventDefault();
    keys[event.key]();
  }
}
