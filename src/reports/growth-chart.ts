import { LineChart } from "echarts/charts";
import { GridComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { formatBytes } from "../domain/quantities.ts";
import { htmlText } from "./sanitise.ts";

use([LineChart, GridComponent, SVGRenderer]);

/** What one strategy is charged, by scenario; null where nothing is known. `isTried`: neither current nor proposed. */
export type Curve = { name: string; isTried: boolean; bytes: (number | null)[] };

export type Growth = { label: string; scenarios: readonly string[]; curves: readonly Curve[] };

const SIZE = { width: 430, height: 240 };

/** Colours on white; the style sheet has those on black for each of them. */
const COLOURS = ["#0b5fa5", "#b4500b", "#1b7a48", "#7b3fa0", "#b3261e", "#0f7078"] as const;
const INK = "#555555";
const RULE = "#d8d8d8";

/** As ECharts names and draws them, within a square of 2 around the origin. */
const SYMBOLS = [
  { name: "circle", path: "M-1 0A1 1 0 1 1 1 0A1 1 0 1 1-1 0Z" },
  { name: "rect", path: "M-1-1H1V1H-1Z" },
  { name: "triangle", path: "M0-1L1 1H-1Z" },
  { name: "diamond", path: "M0-1L1 0L0 1L-1 0Z" },
] as const;

function look(index: number, isTried: boolean) {
  return {
    colour: COLOURS[index % COLOURS.length] ?? INK,
    symbol: SYMBOLS[index % SYMBOLS.length] ?? SYMBOLS[0],
    // The first is the widest: where curves coincide, each is seen under those that follow it.
    width: isTried ? 1.5 : index === 0 ? 5 : 2,
    size: isTried ? 6 : index === 0 ? 11 : 7,
    dash: isTried ? [5, 3] : null,
  };
}

/** Bytes by scenario as an SVG that stands in a page: no script, no style, no ids, nothing from outside. */
export function growthChart({ label, scenarios, curves }: Growth): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, ...SIZE });
  try {
    chart.setOption({
      animation: false,
      // Room for `99,999 MB` on both sides: without the reader's font no width of a text can be reckoned.
      grid: { left: 80, right: 76, top: 14, bottom: 28, outerBoundsMode: "none" },
      textStyle: { color: INK },
      xAxis: {
        type: "category",
        data: [...scenarios],
        axisTick: { alignWithLabel: true },
        axisLabel: { color: INK },
        axisLine: { lineStyle: { color: INK } },
      },
      yAxis: {
        type: "value",
        min: 0,
        splitNumber: 4,
        // Bytes are whole: of a ledger that charges nothing the axis would read 0 B several times.
        minInterval: 1,
        axisLabel: { color: INK, formatter: formatBytes },
        splitLine: { lineStyle: { color: RULE } },
      },
      series: curves.map((curve, index) => series(curve, index, curves)),
    });
    return tidy(chart.renderToSVGString({ useViewBox: true }), { label, scenarios, curves });
  } finally {
    chart.dispose();
  }
}

/** What stands at the end of a curve. */
function endOf({ bytes }: Curve): string {
  const last = bytes.findLast((value) => value !== null);
  return typeof last === "number" ? formatBytes(last) : "";
}

function series(curve: Curve, index: number, curves: readonly Curve[]) {
  const { name, isTried, bytes } = curve;
  const end = endOf(curve);
  const { colour, symbol, width, size, dash } = look(index, isTried);
  return {
    type: "line",
    name,
    data: bytes.map((value) => value ?? "-"),
    color: colour,
    symbol: symbol.name,
    symbolSize: size,
    showAllSymbol: true,
    lineStyle: { width, type: dash ?? "solid" },
    endLabel: {
      // Curves that end alike say so once.
      show: !curves.slice(0, index).some((other) => endOf(other) === end),
      color: colour,
      textBorderWidth: 0,
      formatter: end,
    },
    labelLayout: { moveOverlap: "shiftY" },
  };
}

/** ECharts writes styles, ids that count up and a mark for each point: points get their figures instead. */
function tidy(svg: string, { label, scenarios, curves }: Growth): string {
  return (
    svg
      .replace(/<defs\b[\s\S]*<\/defs>/u, "")
      .replace(/<style\b[\s\S]*<\/style>/u, "")
      .replaceAll(
        /<path ([^>]*?) ecmeta_series_index="(\d+)" ecmeta_data_index="(\d+)"[^>]*><\/path>/gu,
        (_, attributes: string, curve: string, point: string) => {
          const bytes = curves[Number(curve)]?.bytes[Number(point)] ?? 0;
          const said = `${curves[Number(curve)]?.name}, ${scenarios[Number(point)]}: ${formatBytes(bytes)}`;
          return `<path ${attributes}><title>${htmlText(said)}</title></path>`;
        },
      )
      // Attributes of their own hold where styles may not, and where nobody applies a style sheet.
      .replaceAll(/ style="font-size:(\d+)px;font-family:([\w-]+);"/gu, ' font-size="$1" font-family="$2"')
      .replaceAll(
        / (?:style|class|clip-path|pointer-events|xml:space|ecmeta_\w+|xmlns|xmlns:\w+|version|baseProfile)="[^"]*"/gu,
        "",
      )
      .replace("<svg ", `<svg role="img" aria-label="${htmlText(label)}" `)
      .replaceAll(/\n{2,}/gu, "\n")
      .trim()
  );
}

/** The line and the mark of a curve, to stand before its name in a table. */
export function curveKey(index: number, isTried: boolean): string {
  const { colour, symbol, width, size, dash } = look(index, isTried);
  const dashes = dash === null ? "" : ` stroke-dasharray="${dash.join(",")}"`;
  return [
    '<svg class="key" width="26" height="12" viewBox="0 0 26 12" aria-hidden="true">',
    `<path d="M0 6H26" fill="none" stroke="${colour}" stroke-width="${width}"${dashes}></path>`,
    `<path d="${symbol.path}" transform="matrix(${size / 2},0,0,${size / 2},13,6)" fill="${colour}"></path></svg>`,
  ].join("");
}
