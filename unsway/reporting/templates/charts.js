// Charts: Vega-Lite specifications from the page, drawn by Vega as SVG with its expression interpreter (no eval).
// Colours are CSS variables, so dark mode and print need no drawing.

const OPTIONS = { mode: "vega-lite", renderer: "svg", ast: true, actions: false, defaultStyle: false };
const TOOLTIP = { disableDefaultStyle: true, id: "chart-tip" };
const ROOM = 150 + 14; // left and right of every plot (LABEL_ROOM and EDGE of plots.py)

const TALLEST = 1700; // pixels; a taller chart is not made to fit on one sheet of paper

/** Draw every chart of the page, and again whenever its width changes or an arm is switched. */
async function drawCharts(onClick) {
  switchArms(() => { for (const place of document.querySelectorAll("[data-spec]")) draw(place, onClick); });
  for (const place of document.querySelectorAll("[data-spec]")) {
    await draw(place, onClick);
    let timer, drawn = place.clientWidth;
    new ResizeObserver(() => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        if (Math.abs(place.clientWidth - drawn) < 4) return;
        drawn = place.clientWidth;
        draw(place, onClick);
      }, 120);
    }).observe(place);
  }
}

/** Draw one chart at the width of its place. A click on a dot leads to its transcripts. */
async function draw(place, onClick) {
  const spec = JSON.parse(document.getElementById(place.dataset.spec).textContent);
  const width = Math.max(120, place.clientWidth - ROOM);
  for (const plot of spec.vconcat) plot.width = width;
  for (const part of [spec, ...spec.vconcat]) if (part.data?.values) part.data.values = onlyArmsOn(part.data.values);
  spec.config.legend.columns = Math.max(1, Math.floor(width / spec.usermeta.legendEntry));
  place.view?.finalize();
  const drawn = await vegaEmbed(place, spec, { ...OPTIONS, tooltip: TOOLTIP });
  place.view = drawn.view;
  place.classList.toggle("tall", Number(place.querySelector("svg").getAttribute("height")) > TALLEST);
  drawn.view.addEventListener("click", (_, item) => item?.datum?.bias && onClick(item.datum.bias, item.datum.arm));
}
