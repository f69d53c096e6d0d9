/** A bar of the chart: how many times as fast ours is. */
export interface Bar {
  readonly name: string
  readonly ratio: number
}

const escape = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")

const left = 300
const width = 900
const right = 60
const bar = 20
const gap = 8
const top = 64

/** Bars on a logarithmic scale from 1/10 on, one below the other, as SVG. */
export const chart = (bars: ReadonlyArray<Bar>, title: string, source: string): string => {
  const most = Math.max(10, ...bars.map(({ ratio }) => ratio))
  const least = Math.min(0.5, ...bars.map(({ ratio }) => ratio))
  const x = (ratio: number) => left + ((width - left - right) * Math.log(ratio / least)) / Math.log(most / least)
  const height = top + bars.length * (bar + gap) + 40
  const ticks = [0.01, 0.1, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500].filter((tick) => tick >= least && tick <= most)
  const label = (ratio: number) => `${ratio >= 100 ? ratio.toFixed(0) : ratio.toPrecision(2)}×`
  const line = (tick: number) => `
  <line x1="${x(tick)}" x2="${x(tick)}" y1="${top - 8}" y2="${height - 40}" stroke="${tick === 1 ? "#57606a" : "#d8dee4"}"/>
  <text x="${x(tick)}" y="${top - 14}" text-anchor="middle" font-size="12" fill="#57606a">${tick}×</text>`
  const row = ({ name, ratio }: Bar, i: number) => {
    const y = top + i * (bar + gap)
    const from = Math.min(x(1), x(ratio))
    return `
  <text x="${left - 10}" y="${y + 15}" text-anchor="end" font-size="13" fill="#1f2328">${escape(name)}</text>
  <rect x="${from}" y="${y}" width="${Math.abs(x(ratio) - x(1))}" height="${bar}" rx="2" fill="${ratio >= 1 ? "#0969da" : "#bc4c00"}"/>
  <text x="${Math.max(x(1), x(ratio)) + 6}" y="${y + 15}" font-size="13" font-weight="600" fill="#1f2328">${label(ratio)}</text>`
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" role="img">
  <title>${escape(title)}</title>
  <rect width="${width}" height="${height}" fill="#ffffff"/>
  <text x="16" y="26" font-size="16" font-weight="600" fill="#1f2328">${escape(title)}</text>${ticks.map(line).join("")}${bars.map(row).join("")}
  <text x="16" y="${height - 14}" font-size="12" fill="#57606a">${escape(source)}</text>
</svg>
`
}
