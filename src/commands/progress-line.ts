/** How far something is that takes its time: one line, drawn in place. */

import { formatByteSize } from '../client/terminal/byte-size.ts';
import type { Terminal } from './terminal.ts';

const BAR_COLUMNS = 30;

/** `[#######       ] 45 % of 27 MB`. @param sizeBytes about; less than done counts as done */
export function progressBar(doneBytes: number, sizeBytes: number): string {
  const part = Math.min(1, doneBytes / Math.max(1, sizeBytes));
  const bar = '#'.repeat(Math.round(part * BAR_COLUMNS)).padEnd(BAR_COLUMNS);
  return `[${bar}] ${Math.floor(part * 100)} % of ${formatByteSize(sizeBytes)}`;
}

/** A line of the error output: drawn over on a screen, else told when it changes. */
export class ProgressLine {
  readonly #terminal: Terminal;
  /** Whether it is drawn over: not in a pipe, where each change would be a line. */
  readonly isOnScreen: boolean;
  #shown = '';

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    this.isOnScreen = 'isTTY' in terminal.output && terminal.output.isTTY === true;
  }

  /** Shows a text in place of the one before; what else is written goes over it. */
  show(text: string): void {
    if (text === this.#shown) return;
    const blank = ' '.repeat(Math.max(0, this.#shown.length - text.length));
    this.#terminal.writeError(this.isOnScreen ? `${text}${blank}\r` : `${text}\n`);
    this.#shown = text;
  }

  /** Leaves the line as it is. */
  end(): void {
    if (this.isOnScreen && this.#shown !== '') this.#terminal.writeError('\n');
  }
}
