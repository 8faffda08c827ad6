import { freePort } from '../test/free-port.ts';
import type { Bed } from './bed.ts';
import type { Child } from './child-process.ts';

/** An operator that serves its metrics: they tell what nobody else can see. */
export class MeasuredOperator implements AsyncDisposable {
  readonly child: Child;
  readonly #url: string;

  private constructor(child: Child, url: string) {
    this.child = child;
    this.#url = url;
  }

  /** Resolves when it begins to look at sources. */
  static async start(bed: Bed, namespace: string): Promise<MeasuredOperator> {
    const metricsPort = await freePort();
    const child = bed.operator(namespace, { metricsPort });
    await child.said('watching sources');
    return new MeasuredOperator(child, `http://127.0.0.1:${metricsPort}/metrics`);
  }

  /**
   * Milliseconds: the 99th percentile of the event loop's delay since the last call. The library looks each 10 ms, so a
   * process that does nothing shows about 10.
   */
  async loopDelayMs(): Promise<number> {
    const name = 'nodejs_eventloop_lag_p99_seconds';
    const text = await (await fetch(this.#url)).text();
    const found = new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1];
    if (found === undefined) throw new Error(`${this.#url} has no ${name}`);
    return Number(found) * 1000;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child.stop('SIGTERM');
    await this.child[Symbol.asyncDispose]();
  }
}
