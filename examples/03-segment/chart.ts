/** The segments as a chart: a panel for each region, a bar for each industry, a colour for each band. */
import { bands, ranges, type Segment } from "./segments.ts"

/** From pale to dark, and told apart by those who see no colours too. */
const colours = { cold: "#d6e4ee", warm: "#8fb9d6", hot: "#3c7fb1", devoted: "#0b3c66" } as const

const title = "Contacts by region, industry and engagement"

const panel = { width: 860, bar: 20, gap: 8, head: 34, foot: 36 }
const left = 130
const right = 120
const top = 92
const plot = panel.width - left - right

const escaped = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")

interface TextOptions {
  readonly anchor?: "start" | "middle" | "end"
  readonly size?: number
  readonly weight?: "normal" | "bold"
  readonly fill?: string
}

const text = (x: number, y: number, words: string, options: TextOptions = {}) => {
  const { anchor = "start", fill = "#222", size = 12, weight = "normal" } = options
  return `<text x="${x.toFixed(1)}" y="${y}" text-anchor="${anchor}" font-size="${size}" font-weight="${weight}" fill="${fill}">${escaped(words)}</text>`
}

const rect = (x: number, y: number, width: number, height: number, fill: string) =>
  `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${width.toFixed(1)}" height="${height.toFixed(1)}" fill="${fill}"/>`

/** The distance of the lines of a scale: 1, 2 or 5 of a power of ten, for about five of them. */
const stepOf = (most: number): number => {
  const power = 10 ** Math.floor(Math.log10(most / 5))
  return power * ([1, 2, 5].find((n) => power * n >= most / 5) ?? 10)
}

const count = (n: number) => n.toLocaleString("en-US")

/** Gives the chart as the text of an SVG file. */
export const chart = (segments: ReadonlyArray<Segment>): string => {
  const regions = [...new Set(segments.map(({ region }) => region))]
  const most = Math.max(1, ...segments.map(({ contacts }) => contacts))
  const step = stepOf(most)
  const x = (contacts: number) => left + (contacts / most) * plot
  const lines = Array.from({ length: Math.floor(most / step) + 1 }, (_, i) => i * step)
  const parts: Array<string> = []

  let y = top
  for (const region of regions) {
    const own = segments.filter((segment) => segment.region === region)
    const bars = y + panel.head
    const height = own.length * (panel.bar + panel.gap)
    parts.push(text(16, y + 18, region, { size: 15, weight: "bold" }))
    for (const line of lines) {
      parts.push(
        `<line x1="${x(line).toFixed(1)}" x2="${x(line).toFixed(1)}" y1="${bars - 4}" y2="${bars + height}" stroke="#ddd"/>`
      )
      parts.push(text(x(line), bars + height + 15, count(line), { anchor: "middle", size: 11, fill: "#666" }))
    }
    own.forEach((segment, i) => {
      const at = bars + i * (panel.bar + panel.gap)
      parts.push(text(left - 8, at + 14, segment.industry, { anchor: "end" }))
      let from = 0
      for (const band of bands) {
        parts.push(rect(x(from), at, x(from + segment[band]) - x(from), panel.bar, colours[band]))
        from += segment[band]
      }
      parts.push(text(x(from) + 6, at + 14, segment.score.toFixed(1), { size: 11, fill: "#444" }))
    })
    y = bars + height + panel.foot
  }

  const height = y + 40
  const legend = bands.map((band, i) => {
    const at = left + 20 + i * 150
    return rect(at, 58, 14, 14, colours[band]) + text(at + 20, 70, `${band}, ${ranges[band]}`)
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${panel.width} ${height}" width="${panel.width}" height="${height}" font-family="Helvetica, Arial, sans-serif">`,
    `<title>${title}</title>`,
    rect(0, 0, panel.width, height, "white"),
    text(16, 30, title, { size: 19, weight: "bold" }),
    text(16, 70, "engagement score", { fill: "#666" }),
    ...legend,
    ...parts,
    text(left + plot / 2, height - 18, "contacts (beside each bar: the mean engagement score, of 100)", {
      anchor: "middle",
      fill: "#666"
    }),
    "</svg>\n"
  ].join("\n")
}
