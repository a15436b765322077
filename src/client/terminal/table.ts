/**
 * Tables of text as etcdctl draws them: `+---+` rules, headers in capitals and centred, cells to
 * the right.
 */

/**
 * Draws a table.
 *
 * @param headers one a column
 * @param rows as many cells each as there are headers
 * @returns lines, each ended by a line feed
 */
export function drawTable(
  headers: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const titles = headers.map((header) => header.toUpperCase());
  const widths = titles.map((title, column) => {
    const cells = rows.map((row) => width(row[column] ?? ''));
    return Math.max(width(title), ...cells);
  });

  const rule = `+${widths.map((columns) => '-'.repeat(columns + 2)).join('+')}+\n`;
  const line = (cells: readonly string[], align: typeof centre): string =>
    `|${widths.map((columns, column) => ` ${align(cells[column] ?? '', columns)} `).join('|')}|\n`;

  const body = rows.map((row) => line(row, right)).join('');
  return `${rule}${line(titles, centre)}${rule}${body}${rule}`;
}

function centre(text: string, columns: number): string {
  const blank = columns - width(text);
  const left = Math.floor(blank / 2);
  return `${' '.repeat(left)}${text}${' '.repeat(blank - left)}`;
}

function right(text: string, columns: number): string {
  return `${' '.repeat(columns - width(text))}${text}`;
}

/** Characters, not UTF-16 units. */
function width(text: string): number {
  return [...text].length;
}
