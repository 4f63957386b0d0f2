// The list of rows; a row is a button that unfolds what belongs to it.

const PAGE = 100;
const list = { rows: [], shown: 0, body: null };

/** The columns: heading, what sorting by it means (null: nothing), and the cell's content. */
function columns() {
  const written = (sample) => sample?.written == null ? MISSING
    : sample.required === null ? counted(sample.written)
      : bar(counted(sample.written), sample.written / sample.required / 2, "length");
  const score = (name) => (sample) => bar(shown(sample?.[name] ?? null), (sample?.[name] ?? 0) / 100);
  const prompt = ["Prompt", "order", ({ first }) => promptCell(first)];
  const required = ["Required", "required", ({ first }) => (first.required === null ? MISSING : counted(first.required)), "number"];
  const flags = ["Flags", null, flagCell, "badges"];
  if (!isPaired()) {
    return [
      prompt,
      ...(view.run === null && index.runs.length > 1 ? [["Run", "run", ({ a }) => runCell(runOf(a).name)]] : []),
      required,
      ["Written", "written", ({ a }) => written(a), "number"],
      ["S_l", "S_l", ({ a }) => score("S_l")(a), "number"],
      ["S_q", "S_q", ({ a }) => score("S_q")(a), "number"],
      flags,
    ];
  }
  const pairOf = (name, cell) => [
    [`${name} A`, name === "Written" ? "written" : name, ({ a }) => cell(a), "number"],
    [`${name} B`, name === "Written" ? "other_written" : `other_${name}`, ({ b }) => cell(b), "number"],
  ];
  const change = (name) =>
    [`${name} B${MINUS}A`, `change_${name}`, (row) => differenceCell(difference(row, name)), "number"];
  return [
    prompt, required, ...pairOf("Written", written),
    ...pairOf("S_l", score("S_l")), change("S_l"), ...pairOf("S_q", score("S_q")), change("S_q"), flags,
  ];
}

function promptCell(sample) {
  const prompt = promptOf(sample);
  return [
    element("span", {}, element("b", { class: "id" }, nameOf(sample)), ` ${sample.type} · ${sample.language}`),
    prompt && element("span", { class: "start", lang: languageTag(sample.language) }, prompt.slice(0, 160)),
  ];
}

function runCell(name) {
  return element("span", { class: "clamp", title: name }, name);
}

function flagCell({ a, b }) {
  const [left, right] = [a, b].map((sample) => (sample ? badges(sample) : []));
  const lettered = (letter, found) => (found.length ? [element("span", { class: "muted" }, `${letter} `), found] : []);
  return isPaired() ? [lettered("A", left), lettered("B", right)] : left;
}

function differenceCell(value) {
  const kind = value === null || Math.abs(value) < 0.05 ? "" : value > 0 ? "better" : "worse";
  return element("span", { class: kind }, signed(value));
}

/** Show the rows that the filters let through, folded. */
function renderList() {
  list.rows = currentRows();
  list.shown = 0;
  list.body = element("tbody", { role: "rowgroup" });
  const heads = columns().map(headCell);
  const table = element(
    "table", { role: "table", class: isPaired() ? "samples paired" : "samples", "aria-label": "Samples" },
    element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, heads)),
    list.body,
  );
  const nothing = element("p", { class: "muted" }, "No sample passes these filters.");
  byId("list").replaceChildren(list.rows.length ? table : nothing);
  showMore(PAGE);
  const whole = allRows().length;
  const what = isPaired() ? "pairs" : "samples";
  byId("count").textContent = list.rows.length === whole ? `${counted(whole)} ${what}`
    : `${counted(list.rows.length)} of ${counted(whole)} ${what}`;
  if (isPaired()) {
    byId("count").textContent += ` · A is ${index.runs[view.run].name}, B is ${index.runs[view.other].name}`;
  }
}

function headCell([title, sort, , kind]) {
  const sorted = view.sort === sort ? (view.down ? "descending" : "ascending") : null;
  const content = sort === null ? title : element("button", {
    type: "button", class: "sort",
    click: () => {
      Object.assign(view, { sort, down: view.sort === sort && !view.down });
      showFilters();
      renderList();
      [...document.querySelectorAll("button.sort")].find((button) => button.dataset.sort === sort)?.focus();
    },
    "data-sort": sort,
  }, title);
  return element("th", { role: "columnheader", scope: "col", class: kind ?? null, "aria-sort": sorted }, content);
}

/** Show so many more rows. */
function showMore(number) {
  const from = list.shown;
  list.shown = Math.min(list.rows.length, from + number);
  const cells = columns();
  list.body.append(...list.rows.slice(from, list.shown).map((row, place) => rowElement(row, from + place, cells)));
  const rest = list.rows.length - list.shown;
  byId("more").hidden = rest === 0;
  byId("more").textContent = `Show ${counted(Math.min(PAGE, rest))} more of ${counted(rest)}`;
}

function rowElement(row, place, cells) {
  const made = element("tr", {
    role: "row", class: "row", id: `row-${place}`,
    click: ({ target }) => { if (!target.closest("a, button") && !getSelection().toString()) toggle(place); },
  });
  made.append(...cells.map(([title, , content, kind], number) => {
    const inside = number ? content(row) : element("button", {
      type: "button", class: "unfold", "aria-expanded": "false", click: () => toggle(place),
    }, content(row));
    return element("td", { role: "cell", class: kind ?? null, "data-title": title }, inside);
  }));
  return made;
}

function rowButton(place) {
  return byId(`row-${place}`)?.querySelector(".unfold");
}

function toggle(place) {
  if (rowButton(place).getAttribute("aria-expanded") === "true") fold(place);
  else unfold(place);
}

function fold(place) {
  byId(`detail-${place}`).remove();
  rowButton(place).setAttribute("aria-expanded", "false");
  rowButton(place).removeAttribute("aria-controls");
  rowButton(place).focus();
}

/** Unfold a row's detail and make its address the page's. */
function unfold(place) {
  const row = list.rows[place];
  const detail = element("tr", { role: "row", class: "detail", id: `detail-${place}` },
    element("td", { role: "cell", colspan: columns().length }, isPaired() ? pairDetail(row) : singleDetail(row.a)));
  byId(`row-${place}`).after(detail);
  rowButton(place).setAttribute("aria-expanded", "true");
  rowButton(place).setAttribute("aria-controls", detail.id);
  const address = row.a ? addressOf(row.a, view.other) : addressOf(row.b, view.run);
  history.replaceState(null, "", address);
}

function singleDetail(sample) {
  const others = samplesBeside(sample);
  const choose = others.length === 0 ? null : element("label", { class: "beside" }, "Beside another run ",
    element("select", { change: ({ target }) => openSample(sample, Number(target.value)) },
      element("option", { value: "" }, "choose …"),
      others.map(({ run }) => element("option", { value: run }, index.runs[run].name))));
  return element("div", { class: "unfolded" }, promptPart(sample, choose), panel(sample));
}

function pairDetail({ a, b, first }) {
  const side = (sample, run, other) => sample ? panel(sample, other)
    : element("article", { class: "panel" }, element("h3", {}, index.runs[run].name),
      element("p", { class: "muted" }, "This run has no such sample."));
  return element("div", { class: "unfolded" }, promptPart(first),
    element("div", { class: "pair" }, side(a, view.run, view.other), side(b, view.other, view.run)));
}

/** Show a sample unfolded, beside another run's if one is given; filters that hide it are cleared. */
function openSample(sample, other = null) {
  const find = () => list.rows.findIndex(({ both }) => both.includes(sample));
  Object.assign(view, { suite: sample.suite, other }, other === null ? {} : { run: sample.run });
  if (other === null && view.run !== sample.run) view.run = null;
  mendSort();
  renderList();
  if (find() < 0) {
    Object.assign(view, noFilters);
    renderList();
  }
  showFilters();
  const place = find();
  if (place >= list.shown) showMore(place + PAGE - list.shown);
  unfold(place);
  rowButton(place).focus({ preventScroll: true });
  byId(`row-${place}`).scrollIntoView({ block: "start" });
}
