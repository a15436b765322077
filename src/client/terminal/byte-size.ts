/**
 * Sizes for people, as etcdctl shows them: decimal, SI units, two figures below ten (`20 kB`, `2.5
 * MB`).
 */

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];

/**
 * Writes a size for people.
 *
 * @param sizeBytes 0 or more
 */
export function formatByteSize(sizeBytes: number): string {
  if (sizeBytes < 10) return `${sizeBytes} B`;

  let exponent = 0;
  let unitBytes = 1;
  while (exponent + 1 < UNITS.length && sizeBytes >= unitBytes * 1_000) {
    exponent += 1;
    unitBytes *= 1_000;
  }
  const tenths = Math.floor((sizeBytes / unitBytes) * 10 + 0.5);
  const figures = tenths < 100 ? (tenths / 10).toFixed(1) : String(roundHalfToEven(tenths));
  return `${figures} ${UNITS[exponent]}`;
}

/** Tenths to wholes as Go's %.0f rounds: 20.5 to 20, 21.5 to 22. */
function roundHalfToEven(tenths: number): number {
  const whole = Math.floor(tenths / 10);
  const rest = tenths - whole * 10;
  if (rest === 5) return whole + (whole % 2);
  return rest < 5 ? whole : whole + 1;
}
