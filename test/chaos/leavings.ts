/**
 * What a run leaves on the machine while it goes on (processes, namespaces, mounts, directories),
 * and how each is put away: in the opposite order, however the run ends. Only SIGKILL keeps it from
 * doing so; what is left then bears the number of the process, and the next run sweeps it.
 */

/** Puts one thing away. Runs while the process ends: synchronous, and must not throw. */
export type PutAway = () => void;

/** How the process is told to end by somebody at a terminal, or by a machine. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Exit code of a process that a signal ended, as shells count it. */
const SIGNAL_CODE = 130;

/** The things to be put away. */
export class Leavings {
  readonly #things: Set<PutAway> = new Set();

  /** Puts everything away when the process ends, by itself, by a signal or by a fault. */
  guard(): void {
    process.on('exit', () => this.putAway());
    for (const signal of SIGNALS) {
      process.on(signal, () => {
        console.error(`${signal}: putting away what was made`);
        process.exit(SIGNAL_CODE);
      });
    }
  }

  /**
   * Adds a thing.
   *
   * @returns puts it away now, rather than at the end
   */
  add(putAway: PutAway): PutAway {
    const once = (): void => {
      if (this.#things.delete(once)) putAway();
    };
    this.#things.add(once);
    return once;
  }

  /** Puts everything away, the newest first. */
  putAway(): void {
    for (const once of [...this.#things].reverse()) once();
  }
}
