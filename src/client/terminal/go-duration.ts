/**
 * Durations in Go's notation, as etcdctl's flags take and its output shows them: `300ms`, `1m30s`.
 *
 * Source: time.ParseDuration and time.Duration.String of the Go library.
 */

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ['ns', 1e-6],
  ['us', 1e-3],
  ['µs', 1e-3],
  ['μs', 1e-3],
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
]);

/** The longest duration taken, in milliseconds: what a timer of Node can wait. */
const DURATION_MS_MAX = 2 ** 31 - 1;

/**
 * Reads a duration such as `5s`, `1.5h` or `1m30s`.
 *
 * @returns milliseconds, 0 to about 24 days, with a fraction
 * @throws Error with Go's text
 */
export function parseGoDuration(text: string): number {
  const sign = text.startsWith('-') ? -1 : 1;
  let rest = text.replace(/^[+-]/, '');
  if (rest === '0') return 0;
  if (rest === '') throw new Error(`time: invalid duration ${JSON.stringify(text)}`);

  let totalMs = 0;
  while (rest !== '') {
    const part = /^(\d+\.?\d*|\.\d+)([^\d.]*)/.exec(rest);
    if (part === null) throw new Error(`time: invalid duration ${JSON.stringify(text)}`);
    const [whole, count = '', unit = ''] = part;
    if (unit === '') throw new Error(`time: missing unit in duration ${JSON.stringify(text)}`);
    const unitMs = UNIT_MS.get(unit);
    if (unitMs === undefined) {
      throw new Error(
        `time: unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`,
      );
    }
    totalMs += Number(count) * unitMs;
    rest = rest.slice(whole.length);
  }
  if (sign < 0 || totalMs > DURATION_MS_MAX) {
    throw new Error(`time: invalid duration ${JSON.stringify(text)}`);
  }
  return totalMs;
}

/**
 * Writes a duration as Go does: `813.123µs`, `1.13223ms`, `1.000290509s`, `1m0s`.
 *
 * @param durationMs milliseconds, 0 or more, with a fraction
 */
export function formatGoDuration(durationMs: number): string {
  const nanos = Math.round(durationMs * 1e6);
  if (nanos === 0) return '0s';
  if (nanos < 1e3) return `${nanos}ns`;
  if (nanos < 1e6) return `${decimal(nanos, 1e3, 3)}µs`;
  if (nanos < 1e9) return `${decimal(nanos, 1e6, 6)}ms`;

  const minutes = Math.floor(nanos / 60e9);
  const seconds = decimal(nanos - minutes * 60e9, 1e9, 9);
  if (minutes === 0) return `${seconds}s`;
  if (minutes < 60) return `${minutes}m${seconds}s`;
  return `${Math.floor(minutes / 60)}h${minutes % 60}m${seconds}s`;
}

/** `value / unit` with up to `digits` digits after the point, without trailing zeros. */
function decimal(value: number, unit: number, digits: number): string {
  const whole = Math.floor(value / unit);
  const fraction = String(value - whole * unit)
    .padStart(digits, '0')
    .replace(/0+$/, '');
  return fraction === '' ? String(whole) : `${whole}.${fraction}`;
}
