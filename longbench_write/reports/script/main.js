// Puts the page together.

/** Go where the page's address points. */
function follow() {
  const address = readAddress(location.hash);
  byId("missing").textContent = address?.missing ?? "";
  byId("missing").hidden = !address?.missing;
  if (address === null || address.missing) return;
  if (address.sample) {
    openSample(address.sample, address.other);
    return;
  }
  Object.assign(view, noFilters, { suite: index.runs[address.run].suite, run: address.run, other: null });
  showFilters();
  renderList();
  byId("samples").scrollIntoView();
}

for (const [type, tag] of [["input", "INPUT"], ["change", "SELECT"]]) {
  byId("filters").addEventListener(type, ({ target }) => { if (target.tagName === tag) readFilters(target); });
}
byId("filters").addEventListener("reset", clearFilters);
byId("filters").addEventListener("submit", (event) => event.preventDefault());
byId("more").addEventListener("click", () => showMore(PAGE));
byId("help-open").addEventListener("click", () => byId("help").showModal());
addEventListener("keydown", onKey);
addEventListener("hashchange", follow);

if (matchMedia("(max-width: 46rem)").matches) byId("filters").querySelector("details").open = false;
showFilters();
renderList();
follow();
