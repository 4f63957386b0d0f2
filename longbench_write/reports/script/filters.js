// The filters' form: what it offers, and what it sets.

/** The form's controls and the part of the view that each sets. */
const controls = {
  "f-text": "text", "f-range": "range", "f-language": "language", "f-type": "type", "f-flag": "flag",
  "f-state": "state", "f-score": "score", "f-low": "low", "f-high": "high",
};

/** Offer choices, each `[value, title]`; a control without a choice is not shown. */
function offer(id, choices, chosen) {
  byId(id).replaceChildren(...choices.map(([value, title]) => element("option", { value }, title)));
  byId(id).value = String(chosen);
  byId(id).closest("label")?.toggleAttribute("hidden", choices.length < 2);
}

/** Anything, or one of the values that samples have of a property; in the given order, else in that of the alphabet. */
function choices(name, among, { known = null, title = (value) => value } = {}) {
  const found = new Set(among.map((sample) => sample[name]));
  const values = known === null ? [...found].sort() : known.filter((value) => found.has(value));
  return [["", "any"], ...values.map((value) => [value, title(value)])];
}

function flagChoices(among) {
  const flags = index.flags.filter((flag) => among.some((sample) => sample.flags.includes(flag)));
  const each = flags.map((flag) => [`=${flag}`, flag.replaceAll("_", " ")]);
  return [["", "any or none"], ["none", "no flag"], ...(flags.length ? [["any", "some flag"]] : []), ...each];
}

/** Make the form say what the view is, offering only what the chosen suite has. */
function showFilters() {
  const here = samples.filter(({ suite }) => suite === view.suite);
  const runs = index.runs.map((run, number) => [number, run.name]).filter(([run]) => index.runs[run].suite === view.suite);
  const others = runs.filter(([run]) => run !== view.run);
  offer("f-suite", index.suites.map((name, number) => [number, name]), view.suite);
  if (runs.length === 1) offer("f-run", runs, runs[0][0]);
  else offer("f-run", [["", "all runs"], ...runs], view.run ?? "");
  offer("f-with", [["", "no other run"], ...others], view.other ?? "");
  offer("f-range", choices("range", here, { known: index.ranges }), view.range);
  offer("f-language", choices("language", here), view.language);
  offer("f-type", choices("type", here), view.type);
  offer("f-flag", flagChoices(here), view.flag);
  const states = { known: Object.keys(index.states), title: (state) => index.states[state] };
  offer("f-state", choices("state", here, states), view.state);
  const titled = (name, range) => (range === null ? name : `${name}, ${range[0]} to ${range[1]}`);
  offer("f-score", scores.map(([name, , range]) => [name, titled(name, range)]), view.score);
  const ways = waysToSort().map((name) => [name, sorts[name][0]]);
  offer(
    "f-sort",
    ways.flatMap(([name, title]) => [[`${name} up`, `${title} ↑`], [`${name} down`, `${title} ↓`]]),
    `${view.sort} ${view.down ? "down" : "up"}`,
  );
  for (const [id, name] of Object.entries(controls)) byId(id).value = view[name];
}

/** Take over what the form says. */
function readFilters(target) {
  const number = (id) => (byId(id).value === "" ? null : Number(byId(id).value));
  const before = { suite: view.suite, run: view.run };
  for (const [id, name] of Object.entries(controls)) view[name] = byId(id).value;
  Object.assign(view, { suite: number("f-suite"), run: number("f-run"), other: number("f-with") });
  const [sort, direction] = byId("f-sort").value.split(" ");
  Object.assign(view, { sort, down: direction === "down" });
  if (view.suite !== before.suite) Object.assign(view, noFilters, { run: null, other: null });
  if (view.other !== null && (view.run === null || view.run === view.other)) {
    view.run = index.runs.findIndex((run, place) => run.suite === view.suite && place !== view.other);
  }
  if (target.id === "f-run" && view.run === null) view.other = null;
  mendSort();
  if (target.tagName === "SELECT") showFilters();
  renderList();
}

function clearFilters(event) {
  event.preventDefault();
  Object.assign(view, noFilters, { score: "S_l", run: null, other: null, sort: "order", down: false });
  showFilters();
  renderList();
}
