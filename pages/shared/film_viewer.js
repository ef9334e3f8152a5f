// Films side by side that zoom and move as one. What the visitor has zoomed to stays when the pictures change, because
// it lives here and not in the figure. Buttons, two fingers, Ctrl + wheel or the keys + - 0 and arrows zoom and move; a plain
// wheel scrolls the page. With `selectable`, dragging draws a box and reports the last ones drawn, each as [left, top, right,
// bottom, time] in shares: two drawn during one run of the script reach it as one message. With `windowing`, dragging
// changes contrast (right, left) and brightness (up, down) and reports [right, down, time]; a double click reports
// [null, null, time]: reset. What is seen while dragging is the server's picture stretched.

const MOST = 12;

const element = (name, className, parent) => {
  const made = document.createElement(name);
  made.className = className;
  parent.append(made);
  return made;
};

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

export default function ({ data, parentElement, setStateValue }) {
  const state = (parentElement.filmViewer ??= { zoom: 1, x: 0, y: 0, swipe: 0.5, drags: [], drawn: [] });
  const root = parentElement.querySelector(".viewer");
  root.classList.toggle("selecting", data.selectable);
  root.classList.toggle("windowing", Boolean(data.windowing));
  root.setAttribute("aria-label", data.panels.map((panel) => `${panel.title} ${panel.alt || data.alt}`.trim()).join("; "));

  // Pictures are replaced in place: no flicker, and focus stays where it was.
  const row = root.querySelector(".row") ?? element("div", "row", root);
  while (row.querySelectorAll("figure").length > data.panels.length) row.querySelector("figure:last-of-type").remove();
  while (row.querySelectorAll("figure").length < data.panels.length) row.insertBefore(figure(), row.querySelector(".scale"));
  const figures = [...row.querySelectorAll("figure")];

  function figure() {
    const made = document.createElement("figure");
    element("figcaption", "", made);
    const frame = element("div", "window", made);
    const stage = element("div", "stage", frame);
    for (const name of ["film", "overlay"]) element("img", name, stage).alt = "";
    element("div", "box", stage);
    element("div", "edge", frame);
    return made;
  }

  function place() {
    state.x = clamp(state.x, 1 - state.zoom, 0);
    state.y = clamp(state.y, 1 - state.zoom, 0);
    root.classList.toggle("zoomed", state.zoom > 1);
    root.dataset.zoom = state.zoom.toFixed(3);
    for (const one of figures) {
      const move = `translate(${100 * state.x}%, ${100 * state.y}%) scale(${state.zoom})`;
      one.querySelector(".stage").style.transform = move;
      const swiping = data.mode === "Swipe";
      const cut = clamp((state.swipe - state.x) / state.zoom, 0, 1);
      one.querySelector(".overlay").style.clipPath = swiping ? `inset(0 0 0 ${100 * cut}%)` : "";
      one.querySelector(".edge").hidden = !swiping;
      one.querySelector(".edge").style.left = `${100 * state.swipe}%`;
    }
  }

  function zoom(factor, x = 0.5, y = 0.5) {
    const next = clamp(state.zoom * factor, 1, MOST);
    state.x = x - ((x - state.x) * next) / state.zoom;
    state.y = y - ((y - state.y) * next) / state.zoom;
    state.zoom = next;
    place();
  }

  function draw(box, [left, top, right, bottom]) {
    Object.assign(box.style, {
      left: `${100 * left}%`, top: `${100 * top}%`, width: `${100 * (right - left)}%`, height: `${100 * (bottom - top)}%`,
    });
    box.style.borderWidth = `${2 / state.zoom}px`;
  }

  figures.forEach((one, number) => {
    const panel = data.panels[number];
    one.querySelector("figcaption").textContent = panel.title;
    const frame = one.querySelector(".window");
    frame.style.aspectRatio = `${panel.size[1]} / ${panel.size[0]}`;
    one.querySelector(".film").src = panel.film;
    const overlay = one.querySelector(".overlay");
    overlay.hidden = !panel.overlay;
    if (panel.overlay) overlay.src = panel.overlay;
    const box = one.querySelector(".box");
    // A gesture outlives the page's next run, which may come in its middle; another film ends it.
    const drag = (state.drags[number] ??= { fingers: new Map() });
    if (!data.selectable || drag.of !== panel.of) drag.start = undefined;
    drag.of = panel.of;
    box.hidden = !drag.start;  // of the one that is being drawn
    for (const past of one.querySelectorAll(".kept")) past.remove();
    if (number === 0) for (const place of data.boxes ?? []) draw(element("div", "box kept", one.querySelector(".stage")), place);
    const at = (event) => {
      const area = frame.getBoundingClientRect();
      return [(event.clientX - area.left) / area.width, (event.clientY - area.top) / area.height];
    };
    const onFilm = ([x, y]) => [clamp((x - state.x) / state.zoom, 0, 1), clamp((y - state.y) / state.zoom, 0, 1)];
    frame.onwheel = (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      zoom(Math.exp(-event.deltaY / 300), ...at(event));
    };
    frame.ondblclick = (event) => (data.windowing ? setStateValue("window", [null, null, Date.now()]) : zoom(2, ...at(event)));
    if (!drag.pulled) one.querySelector(".film").style.filter = "";
    frame.onpointerdown = (event) => {
      if (event.target.closest("button")) return;
      frame.setPointerCapture(event.pointerId);
      drag.fingers.set(event.pointerId, at(event));
      drag.last = at(event);
      drag.pulled = data.windowing && drag.fingers.size === 1 ? [drag.last, [0, 0]] : undefined;
      drag.start = data.selectable && number === 0 && drag.fingers.size === 1 ? onFilm(drag.last) : undefined;
    };
    frame.onpointermove = (event) => {
      if (!drag.fingers.has(event.pointerId)) return;
      drag.fingers.set(event.pointerId, at(event));
      if (drag.fingers.size === 2) {
        const [[ax, ay], [bx, by]] = drag.fingers.values();
        const apart = Math.hypot(ax - bx, ay - by);
        if (drag.spread) zoom(apart / drag.spread, (ax + bx) / 2, (ay + by) / 2);
        drag.spread = apart;
      } else if (drag.pulled) {
        drag.pulled[1] = at(event).map((share, axis) => share - drag.pulled[0][axis]);
        stretch(one.querySelector(".film"), ...drag.pulled[1]);
      } else if (drag.start) {
        const end = onFilm(at(event));
        box.hidden = false;
        draw(box, corners(drag.start, end));
      } else if (data.mode === "Swipe" && state.zoom === 1) {
        swipeTo(at(event)[0]);
      } else {
        const now = at(event);
        state.x += now[0] - drag.last[0];
        state.y += now[1] - drag.last[1];
        drag.last = now;
        place();
      }
    };
    frame.onpointerup = frame.onpointercancel = (event) => {
      drag.fingers.delete(event.pointerId);
      drag.spread = undefined;
      if (drag.pulled && Math.hypot(...drag.pulled[1]) > 0.01) setStateValue("window", [...drag.pulled[1], Date.now()]);
      drag.pulled = undefined;
      const chosen = drag.start && corners(drag.start, onFilm(at(event)));
      drag.start = undefined;
      if (!chosen || chosen[2] - chosen[0] <= 0.01 || chosen[3] - chosen[1] <= 0.01) return;
      const time = Math.max(Date.now(), 1 + (state.drawn.at(-1)?.[4] ?? 0));  // no two alike
      state.drawn = [...state.drawn, [...chosen, time]].slice(-MOST);
      setStateValue("box", state.drawn);
    };
  });

  // Grey g becomes (g - 1/2 - down) / 4^right + 1/2, as the server's window will make it.
  function stretch(picture, right, down) {
    const slope = 4 ** -right;
    let filter = root.querySelector("svg");
    if (!filter) {
      root.insertAdjacentHTML("beforeend", `<svg width="0" height="0" aria-hidden="true"><filter id="stretch" color-interpolation-filters="sRGB"><feComponentTransfer><feFuncR type="linear"/><feFuncG type="linear"/><feFuncB type="linear"/></feComponentTransfer></filter></svg>`);
      filter = root.querySelector("svg");
    }
    for (const channel of filter.querySelectorAll("feFuncR, feFuncG, feFuncB")) {
      channel.setAttribute("slope", slope);
      channel.setAttribute("intercept", 0.5 - (0.5 + down) * slope);
    }
    picture.style.filter = "url(#stretch)";
  }

  function corners([ax, ay], [bx, by]) {
    return [Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)];
  }

  function swipeTo(share) {
    state.swipe = clamp(share, 0, 1);
    root.querySelector("input").value = state.swipe;
    place();
  }

  if (!root.querySelector(".tools")) {
    const tools = element("div", "tools", figures[0].querySelector(".window"));
    for (const [sign, label] of [["+", "Zoom in"], ["−", "Zoom out"], ["⤢", "Whole film"]]) {
      const button = element("button", "", tools);
      button.type = "button";
      button.textContent = sign;
      button.ariaLabel = button.title = label;
    }
    const slider = element("input", "", root);
    Object.assign(slider, { type: "range", min: 0, max: 1, step: 0.01, value: state.swipe, ariaLabel: "Swipe" });
  }
  const [nearer, farther, whole] = root.querySelectorAll(".tools button");
  nearer.onclick = () => zoom(1.5);
  farther.onclick = () => zoom(1 / 1.5);
  whole.onclick = () => zoom(1 / MOST);
  const slider = root.querySelector("input");
  slider.hidden = data.mode !== "Swipe";
  slider.oninput = () => swipeTo(Number(slider.value));
  const moves = { ArrowLeft: [0.1, 0], ArrowRight: [-0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] };
  root.onkeydown = (event) => {
    if (event.target !== root) return;
    if (event.key === "+" || event.key === "=") zoom(1.5);
    else if (event.key === "-") zoom(1 / 1.5);
    else if (event.key === "0") zoom(1 / MOST);
    else if (moves[event.key] && state.zoom > 1) {
      state.x += moves[event.key][0];
      state.y += moves[event.key][1];
      place();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  // The colour bar carries the true values of the evidence.
  row.querySelector(".scale")?.remove();
  if (data.scale) {
    const scale = element("div", "scale", row);
    const height = figures[0].querySelector(".window").getBoundingClientRect().height;
    const colours = element("div", "colours", scale);
    colours.style.background = `linear-gradient(to top, ${data.scale.colours.join(",")})`;
    const values = element("div", "values", scale);
    for (const part of [colours, values]) part.style.height = `${0.8 * height}px`;
    for (const [share, text] of data.scale.values) {
      const value = element("span", "", values);
      value.style.top = `${100 * (1 - share)}%`;
      value.textContent = text;
    }
  }
  place();
}
