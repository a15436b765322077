/** Sizes for people, as etcdctl shows them: decimal, SI units, two figures below ten (`20 kB`, `2.5 MB`). */

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
  const rounded = Math.floor((sizeBytes / unitBytes) * 10 + 0.5) / 10;
  return `${rounded < 10 ? rounded.toFixed(1) : rounded.toFixed(0)} ${UNITS[exponent]}`;
}
