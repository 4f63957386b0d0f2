// What the list shows: a row is one sample, or the same sample of two runs side by side.

/** What the filters say; "" is anything. */
const noFilters = { text: "", range: "", language: "", type: "", flag: "", state: "", low: "", high: "" };
const view = { ...noFilters, score: "S_l", suite: 0, run: null, other: null, sort: "order", down: false };

/** Every way to sort: its name, and the value of a row. */
const sorts = {
  order: ["suite's order", ({ first }) => order[first.suite].get(first.key)],
  run: ["run", ({ first }) => runOf(first).name],
  type: ["type", ({ first }) => first.type],
  required: ["required", ({ first }) => first.required],
  written: ["written", ({ a }) => a?.written ?? null],
  ratio: ["written / required", ({ a }) => (a?.written == null || a.required === null ? null : a.written / a.required)],
  S_l: ["S_l", ({ a }) => a?.S_l ?? null],
  S_q: ["S_q", ({ a }) => a?.S_q ?? null],
  other_written: ["written, other", ({ b }) => b?.written ?? null],
  other_S_l: ["S_l, other", ({ b }) => b?.S_l ?? null],
  other_S_q: ["S_q, other", ({ b }) => b?.S_q ?? null],
  change_S_l: ["difference in S_l", (row) => difference(row, "S_l")],
  change_S_q: ["difference in S_q", (row) => difference(row, "S_q")],
  ...Object.fromEntries(index.metrics.map(({ name, symbol }, place) =>
    [`metric_${place}`, [symbol, ({ a }) => a?.metrics[name] ?? null]])),
};

/** What changed from the first run to the other: B - A, as in every comparison. */
function difference({ a, b }, score) {
  return a?.[score] == null || b?.[score] == null ? null : b[score] - a[score];
}

function isPaired() {
  return view.other !== null;
}

/** Sort in the suite's order where the chosen way makes no sense for what is shown. */
function mendSort() {
  if (!waysToSort().includes(view.sort)) Object.assign(view, { sort: "order", down: false });
}

/** The names of the sorts that make sense for what is shown. */
function waysToSort() {
  return Object.keys(sorts).filter((name) => (isPaired() ? name !== "run" : !/^(other|change)_/.test(name)));
}

function rowOf(a, b = null) {
  return { a, b, first: a ?? b, both: [a, b].filter(Boolean) };
}

/** Every row of the chosen suite and runs, before any filter. */
function allRows() {
  if (!isPaired()) {
    return samples
      .filter((sample) => sample.suite === view.suite && (view.run === null || sample.run === view.run))
      .map((sample) => rowOf(sample));
  }
  const [a, b] = [byRun[view.run], byRun[view.other]];
  return [...order[view.suite].keys()]
    .filter((key) => a.has(key) || b.has(key))
    .map((key) => rowOf(a.get(key) ?? null, b.get(key) ?? null));
}

/** A test of samples that says whether the filters let one through. */
function filter() {
  const words = view.text.toLowerCase().split(/\s+/).filter(Boolean);
  const [, score] = scores.find(([name]) => name === view.score);
  const [low, high] = [view.low, view.high].map((text) => (text === "" ? null : Number(text)));
  const same = (name, sample) => view[name] === "" || sample[name] === view[name];
  return (sample) => {
    if (!["range", "language", "type", "state"].every((name) => same(name, sample))) return false;
    if (view.flag === "any" ? !sample.flags.length : view.flag === "none" ? sample.flags.length
      : view.flag !== "" && !sample.flags.includes(view.flag.slice(1))) return false;
    const value = score(sample);
    if ((low !== null && !(value !== null && value >= low)) || (high !== null && !(value !== null && value <= high))) {
      return false;
    }
    if (!words.length) return true;
    const text = `${sample.id}\n${promptOf(sample) ?? ""}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
}

/** Smaller before larger, samples without a value last, ties in the suite's order and by run. */
function compareRows([valueA, a], [valueB, b]) {
  if ((valueA === null) !== (valueB === null)) return valueA === null ? 1 : -1;
  const sign = view.down ? -1 : 1;
  if (valueA !== null && valueA !== valueB) return valueA < valueB ? -sign : sign;
  const place = ({ first }) => order[first.suite].get(first.key);
  return place(a) - place(b) || a.first.run - b.first.run;
}

/** The rows that the filters let through, sorted. */
function currentRows() {
  const passes = filter();
  const [, value] = sorts[view.sort];
  return allRows()
    .filter((row) => row.both.some(passes))
    .map((row) => [value(row), row])
    .sort(compareRows)
    .map(([, row]) => row);
}
