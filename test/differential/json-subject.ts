/** A server's JSON gateway as a subject: etcd's, or kvorum's. */

import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { answerOf, isJson, type Json, requestOf, watchBody } from './etcd-json.ts';
import type { Refusal, Subject, Watching } from './side.ts';
import type { Answer, Step, WatchStep } from './steps.ts';
import { WatchReader } from './watch-reader.ts';

/** A JSON gateway on a port of this machine. */
export class JsonSubject implements Subject {
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(port: number) {
    this.#port = port;
  }

  /** Closes its connections. */
  close(): void {
    this.#agent.destroy();
  }

  async ask(step: Step): Promise<Answer> {
    if ('restart' in step) return {};
    const [path, body] = requestOf(step);
    const reply = await this.#open(path, body);
    const chunks: Buffer[] = [];
    for await (const chunk of reply) chunks.push(chunk);
    const parsed: unknown = JSON.parse(Buffer.concat(chunks).toString());
    if (!isJson(parsed)) throw new Error('the answer is something else than an object');
    return answerOf(step, parsed);
  }

  async watch(step: WatchStep): Promise<Watching | Refusal> {
    const stream = await this.#open('/v3/watch', watchBody(step));
    const reader = new WatchReader(step, () => stream.destroy());
    stream.on('close', () => reader.closed());
    const lines = createInterface({ input: stream });
    lines.on('error', () => undefined); // the watch was ended here, or the server was
    lines.on('line', (line) => {
      const parsed: unknown = JSON.parse(line);
      reader.read(isJson(parsed) && isJson(parsed.result) ? parsed.result : {});
    });
    return reader.opening;
  }

  #open(path: string, body: Json): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const options = { port: this.#port, host: '127.0.0.1', path, method: 'POST' };
      const call = httpRequest({ ...options, agent: this.#agent }, resolve);
      call.on('error', reject);
      call.end(JSON.stringify(body));
    });
  }
}
