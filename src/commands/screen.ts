/**
 * A view that is drawn over itself: on a terminal's second screen, which gives back what was there
 * before when the view ends.
 */

import type { Writable } from 'node:stream';
import type { Terminal } from './terminal.ts';

const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const ERASE_LINE = '\x1b[K';
const ERASE_BELOW = '\x1b[J';

/** The size where a terminal does not tell its own. */
const ROWS_DEFAULT = 24;
const COLUMNS_DEFAULT = 80;

/** Whether what a command prints is seen on a terminal. */
export function isOnScreen({ output }: Terminal): boolean {
  return 'isTTY' in output && output.isTTY === true;
}

/** The screen of a terminal, taken by a view until `close`. */
export class Screen {
  readonly #terminal: Terminal;
  #text = '';
  readonly #onResize = (): void => this.#draw();

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    terminal.write(ENTER);
    terminal.output.on('resize', this.#onResize);
  }

  /** Shows a text in place of the one before: what of it fits. */
  show(text: string): void {
    this.#text = text;
    this.#draw();
  }

  /** Gives the terminal back as it was. */
  close(): void {
    this.#terminal.output.off('resize', this.#onResize);
    this.#terminal.write(LEAVE);
    this.#terminal.flush();
  }

  #draw(): void {
    const rows = sizeOf(this.#terminal.output, 'rows') ?? ROWS_DEFAULT;
    const columns = sizeOf(this.#terminal.output, 'columns') ?? COLUMNS_DEFAULT;
    const lines = this.#text.split('\n').slice(0, rows);
    const clipped = lines.map((line) => `${[...line].slice(0, columns).join('')}${ERASE_LINE}`);
    this.#terminal.write(`${HOME}${clipped.join('\r\n')}${ERASE_BELOW}`);
    this.#terminal.flush();
  }
}

function sizeOf(
  output: Writable & { rows?: unknown; columns?: unknown },
  name: 'rows' | 'columns',
) {
  const size = output[name];
  return typeof size === 'number' && size > 0 ? size : undefined;
}
