// The texts of a sample, unpacked when they are asked for.

class CannotUnfold extends Error {}

/** The element that holds a sample's texts; waits while the page is still being read. */
async function holderOf(number) {
  const complete = () => document.readyState !== "loading";
  for (;;) {
    const holder = byId(`texts-${number}`);
    if (holder && (complete() || holder.nextSibling)) return holder;
    if (complete()) throw new CannotUnfold("This page ends before this sample's texts: it was not copied whole.");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A sample's texts as report/samples.py packed them. */
async function textsOf(number) {
  if (!("DecompressionStream" in window)) {
    throw new CannotUnfold(
      "This browser cannot unpack texts (it has no DecompressionStream): open the report in one of 2023 or later.",
    );
  }
  const packed = atob((await holderOf(number)).textContent);
  const bytes = Uint8Array.from(packed, (char) => char.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}
