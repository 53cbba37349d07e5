// One wrapper around Chart.js for every stacked chart of the console.
//
//   <div data-chart="ID">            ID names a <script type="application/json"> with what is drawn:
//     <div class="plot"><canvas></canvas></div>
//     <div class="legend"></div>
//   </div>
//
//   { currency, periods: [{ label, title, note, state: "complete" | "estimated" | "incomplete" | "unknown", total, narrow }],
//     series: [{ name, slot: 1-12, or 0 for Other, url, expected, amounts: ["12.34" | null], texts: ["$12.34"] }],
//     band: null | { name, low: ["12.34" | null], high, texts: ["$11 – $14" | null] },
//     lines: [{ name, tone: "" | "warn" | "bad", dashed, amounts: ["12.34" | null], texts: ["$12.34"] }] }
//
// A series that is `expected` is a forecast and drawn lighter; the band is the interval of each period's total. Lines are what the
// bars are held against.
//
// A series with a `url` drills down: its name in the legend leads there, and so does a click on its part of a bar, with the
// parameters in the period's `narrow` put into the address.
//
// Amounts arrive as exact strings and are shown as the server wrote them; numbers are made only to know how tall a bar is.
const charts = new Map();
const DASH = "—";

// Colours come from the stylesheet, through the element's own theme.
function colours(element) {
  const probe = document.createElement("i");
  probe.hidden = true;
  element.append(probe);
  const read = (name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const series = [read("--series-other")];
  for (let slot = 1; slot <= 12; slot += 1) series.push(read(`--series-${slot}`));
  const found = { series, text: read("--text"), muted: read("--muted"), line: read("--line"), surface: read("--surface"), warn: read("--warn"), bad: read("--bad") };
  probe.remove();
  return found;
}

function hatched(colour, context) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 6;
  const pen = tile.getContext("2d");
  pen.strokeStyle = colour;
  pen.lineWidth = 2;
  pen.globalAlpha = 0.85;
  for (const offset of [-6, 0, 6]) {
    pen.beginPath();
    pen.moveTo(offset - 1, 7);
    pen.lineTo(offset + 7, -1);
    pen.stroke();
  }
  return context.createPattern(tile, "repeat");
}

const numbers = (amounts) => amounts.map((amount) => (amount === null ? null : Number(amount)));

// One edge of the band, stepping through the middle of each bar.
function edge(amounts, stack) {
  return { type: "line", data: numbers(amounts), stack, order: 0, fill: false, borderWidth: 1, borderDash: [3, 3], pointRadius: 0, pointHitRadius: 0, stepped: "middle" };
}

// A limit or a pace, from bar to bar.
function against(line) {
  return { type: "line", data: numbers(line.amounts), stack: `line ${line.name}`, order: -1, fill: false, borderWidth: line.dashed ? 1.5 : 1.25, borderDash: line.dashed ? [5, 4] : [], pointRadius: 0, pointHitRadius: 0 };
}

const TONES = { "": "text", warn: "warn", bad: "bad" };

// A computed colour, rgb(…) or color(…), with less of it.
function lighter(colour, alpha) {
  return `color-mix(in srgb, ${colour} ${alpha * 100}%, transparent)`;
}

function shortAmount(value, currency, unit) {
  if (unit) return new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 }).format(value);
  const options = { style: "currency", currency, notation: Math.abs(value) >= 10000 ? "compact" : "standard", maximumFractionDigits: Math.abs(value) >= 10 || value === 0 ? 0 : 2 };
  try {
    return new Intl.NumberFormat("en-US", options).format(value);
  } catch {
    return String(value); // a currency the browser does not know
  }
}

class StackedChart {
  constructor(element) {
    this.element = element;
    this.data = JSON.parse(document.getElementById(element.dataset.chart).textContent);
    this.canvas = element.querySelector("canvas");
    this.plot = element.querySelector(".plot");
    this.tip = this.makeTip();
    this.chart = new window.Chart(this.canvas, this.configuration());
    this.makeLegend();
    this.paint();
  }

  configuration() {
    const { data } = this;
    return {
      type: "bar",
      data: {
        labels: data.periods.map((period) => period.label),
        datasets: [
          ...data.series.map((series) => ({
            label: series.name,
            data: numbers(series.amounts),
            stack: "cost",
            order: 1,
            borderWidth: { top: 1, right: 0, bottom: 0, left: 0 },
            borderSkipped: false,
            borderRadius: 1,
            maxBarThickness: 48,
            categoryPercentage: 0.88,
            barPercentage: 0.94,
          })),
          ...(data.band ? [edge(data.band.low, "low"), { ...edge(data.band.high, "high"), fill: "-1" }] : []),
          ...data.lines.map(against),
        ],
      },
      options: {
        animation: false,
        responsive: true,
        maintainAspectRatio: false,
        interaction: { mode: "index", intersect: false },
        onClick: (event) => this.drill(event),
        onHover: (event) => { this.canvas.style.cursor = this.hit(event)?.series.url ? "pointer" : ""; },
        plugins: { legend: { display: false }, tooltip: { enabled: false, external: (context) => this.showTip(context.tooltip) } },
        scales: {
          x: { stacked: true, grid: { display: false }, border: { display: true }, ticks: { maxRotation: 0, autoSkipPadding: 18 } },
          y: { stacked: true, border: { display: false }, ticks: { maxTicksLimit: 5, padding: 8, callback: (value) => shortAmount(value, data.currency, data.unit) } },
        },
      },
    };
  }

  // The part of a bar under the pointer.
  hit(event) {
    const [element] = this.chart.getElementsAtEventForMode(event.native, "nearest", { intersect: true }, false);
    const series = element && this.data.series[element.datasetIndex]; // none is the band's
    return series && { series, period: this.data.periods[element.index] };
  }

  drill(event) {
    const found = this.hit(event);
    if (!found?.series.url) return;
    const address = new URL(found.series.url, location.href);
    for (const [name, value] of Object.entries(found.period.narrow ?? {})) address.searchParams.set(name, value);
    location.assign(address);
  }

  paint() {
    const found = colours(this.element);
    const context = this.canvas.getContext("2d");
    const font = { family: getComputedStyle(this.element).fontFamily, size: 11 };
    this.data.series.forEach((series, at) => {
      const dataset = this.chart.data.datasets[at];
      const colour = series.expected ? lighter(found.series[series.slot], 0.34) : found.series[series.slot];
      const pattern = hatched(colour, context);
      dataset.backgroundColor = this.data.periods.map((period) => (period.state === "complete" ? colour : pattern));
      dataset.hoverBackgroundColor = dataset.backgroundColor;
      dataset.borderColor = found.surface;
      dataset.hoverBorderColor = found.surface;
    });
    const lines = this.chart.data.datasets.length - this.data.lines.length;
    for (const line of this.chart.data.datasets.slice(this.data.series.length, lines)) {
      line.borderColor = lighter(found.text, 0.55);
      line.backgroundColor = lighter(found.text, 0.09);
    }
    this.data.lines.forEach(({ tone }, at) => { this.chart.data.datasets[lines + at].borderColor = found[TONES[tone]]; });
    const { x, y } = this.chart.options.scales;
    x.ticks.color = y.ticks.color = found.muted;
    x.ticks.font = y.ticks.font = font;
    x.border.color = y.grid.color = found.line;
    this.chart.update("none");
  }

  // Legend: every series is a switch.
  makeLegend() {
    const legend = this.element.querySelector(".legend");
    legend.replaceChildren(...this.data.series.map((series, at) => {
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-pressed", "true");
      button.addEventListener("click", () => this.toggle(at, button));
      button.append(swatch(series));
      if (!series.url) { button.append(series.name); return button; }
      button.setAttribute("aria-label", `Show ${series.name}`);
      return entry(button, series);
    }));
    if (this.data.band) legend.append(key("band", this.data.band.name));
    for (const { name, tone, dashed } of this.data.lines) legend.append(key(`line ${tone}${dashed ? " dashed" : ""}`, name));
    if (this.data.periods.some((period) => period.state !== "complete")) legend.append(key("hatched", "not final yet"));
  }

  toggle(at, button) {
    const shown = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(shown));
    this.chart.setDatasetVisibility(at, shown);
    this.chart.update("none");
  }

  // Tooltip: the exact texts of the server, biggest part on top as in the bar.
  makeTip() {
    const tip = document.createElement("div");
    tip.className = "chart-tip";
    tip.hidden = true;
    tip.setAttribute("aria-hidden", "true");
    this.plot.append(tip);
    return tip;
  }

  showTip(model) {
    if (model.opacity === 0 || !model.dataPoints?.length) { this.tip.hidden = true; return; }
    const index = model.dataPoints[0].dataIndex;
    this.fillTip(this.data.periods[index], index);
    this.tip.hidden = false;
    const room = this.plot.clientWidth - this.tip.offsetWidth;
    const left = model.caretX + 16 > room ? model.caretX - this.tip.offsetWidth - 16 : model.caretX + 16;
    this.tip.style.transform = `translate(${Math.max(0, Math.min(left, room))}px, 0)`;
  }

  fillTip(period, index) {
    const rows = this.data.series
      .map((series, at) => ({ series, at }))
      .filter(({ series, at }) => this.chart.isDatasetVisible(at) && series.amounts[index] !== null && Number(series.amounts[index]) !== 0)
      .reverse()
      .map(({ series }) => line("row", swatch(series), series.name, series.texts[index]));
    const parts = [line("head", period.title, period.total ?? DASH), ...rows];
    const between = this.data.band?.texts[index];
    if (between) parts.push(line("row", "", this.data.band.name, between));
    for (const one of this.data.lines) if (one.amounts[index] !== null) parts.push(line("row", "", one.name, one.texts[index]));
    if (period.note) parts.push(line("note", period.note));
    this.tip.replaceChildren(...parts);
  }

  destroy() {
    this.chart.destroy();
  }
}

function swatch({ slot, expected }) {
  const mark = document.createElement("i");
  mark.className = `swatch s${slot}${expected ? " expected" : ""}`;
  return mark;
}

// The swatch switches the series, the name leads to more about it.
function entry(button, series) {
  const part = document.createElement("span");
  part.className = "entry";
  const link = document.createElement("a");
  link.href = series.url;
  link.textContent = series.name;
  part.append(button, link);
  return part;
}

function key(kind, text) {
  const part = document.createElement("span");
  part.className = "key";
  const mark = document.createElement("i");
  mark.className = `swatch ${kind}`;
  part.append(mark, text);
  return part;
}

function line(className, ...cells) {
  const row = document.createElement("div");
  row.className = className;
  row.append(...cells.map((cell) => {
    if (cell instanceof Node) return cell;
    const part = document.createElement("span");
    part.textContent = cell;
    return part;
  }));
  return row;
}

function prepare(scope) {
  for (const [element, chart] of charts) {
    if (!element.isConnected) { chart.destroy(); charts.delete(element); }
  }
  for (const element of scope.querySelectorAll("[data-chart]")) {
    if (!charts.has(element)) charts.set(element, new StackedChart(element));
  }
}

document.addEventListener("themechange", () => charts.forEach((chart) => chart.paint()));
document.addEventListener("htmx:load", (event) => prepare(event.target));
document.fonts.ready.then(() => prepare(document));
