// Arms can be switched off: a chip takes its arm out of every chart, and strikes its rows out of the table.

const off = new Set();

/** Make every chip a switch; `redraw` draws the charts again. */
function switchArms(redraw) {
  for (const chip of document.querySelectorAll("[data-arm]")) {
    chip.addEventListener("click", () => {
      const arm = chip.dataset.arm;
      off.has(arm) ? off.delete(arm) : off.add(arm);
      chip.setAttribute("aria-pressed", String(!off.has(arm)));
      for (const row of document.querySelectorAll("[data-of]")) row.classList.toggle("off", off.has(row.dataset.of));
      redraw();
    });
  }
}

/** The dots of the arms that are on, and what belongs to no arm; orders, colours and axes stay as they are. */
function onlyArmsOn(values) {
  return values.filter((dot) => !off.has(dot.arm));
}
