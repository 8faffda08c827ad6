import { freePort } from './free-port.ts';

/** The metrics of an operator that is started with `flag`. */
export class ServedMetrics {
  readonly flag: string;
  readonly #url: string;

  private constructor(port: number) {
    this.flag = `--metrics-address=127.0.0.1:${port}`;
    this.#url = `http://127.0.0.1:${port}/metrics`;
  }

  static async onFreePort(): Promise<ServedMetrics> {
    return new ServedMetrics(await freePort());
  }

  /** As Prometheus reads them. */
  async text(): Promise<string> {
    return (await fetch(this.#url)).text();
  }

  /** Of a series such as `plumbline_drift_open{source="shop/app"}`; undefined: there is none of it. */
  async value(series: string): Promise<number | undefined> {
    const lines = (await this.text()).split('\n');
    const line = lines.find((one) => one.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length));
  }
}
