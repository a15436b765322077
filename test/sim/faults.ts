/**
 * Misfortune, drawn from the seed: what befalls members, clients, disks, clocks and the network,
 * again and again until it is over. Each run has its own selection, so that some kinds meet often.
 */

import type { Random } from '../../src/random.ts';
import { FAULTS, type Fault, mend, type Victims } from './fault-kinds.ts';
import { EventKind } from './host.ts';

/** Misfortune, from its beginning to its end. */
export class Faults {
  readonly #victims: Victims;
  readonly #random: Random;
  readonly #kinds: readonly Fault[];
  readonly #pauseMs: number;
  #isOver = false;

  /**
   * @param pauseMs milliseconds between two faults, about
   * @param only the names of those that may strike; a selection is drawn when left out
   */
  constructor(victims: Victims, random: Random, pauseMs: number, only?: readonly string[]) {
    this.#victims = victims;
    this.#random = random;
    this.#kinds = FAULTS.filter(({ name }) => only?.includes(name) ?? random.below(3) > 0);
    this.#pauseMs = pauseMs;
  }

  start(): void {
    const { world } = this.#victims;
    const strike = (): void => {
      if (this.#isOver) return;
      const fault = this.#draw();
      if (fault !== undefined) {
        const whom = fault.strike(this.#victims, this.#random);
        if (whom !== undefined) world.tally.count(fault.name);
        world.trace.note('world', `${fault.name}: ${whom ?? 'nobody'}`);
      }
      world.after(undefined, this.#random.below(2 * this.#pauseMs), EventKind.Fault, strike);
    };
    world.after(undefined, this.#random.below(this.#pauseMs), EventKind.Fault, strike);
  }

  /** Puts all right: all run and reach each other, disks and clocks do what they should. */
  end(): void {
    const { world, network, cluster, clients } = this.#victims;
    this.#isOver = true;
    world.trace.note('world', 'all is well from now on');
    network.heal();
    for (const node of cluster.nodes) {
      node.onEvent = () => {};
      mend(node);
      if (node.process?.isFrozen) world.thaw(node.process);
      node.start();
    }
    for (const { process } of clients()) if (process.isFrozen) world.thaw(process);
    for (const time of cluster.times) time.setRate(1);
  }

  #draw(): Fault | undefined {
    const total = this.#kinds.reduce((sum, { weight }) => sum + weight, 0);
    if (total === 0) return undefined;
    let place = this.#random.below(total);
    return this.#kinds.find(({ weight }) => {
      place -= weight;
      return place < 0;
    });
  }
}
