// A webhook that the API server calls on loopback: for what only a webhook does, conversion and values that change each time.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { KubeObject } from '../src/kube/object.ts';
import type { Cluster } from './cluster.ts';

/** The `request` of an AdmissionReview or a ConversionReview. */
export interface ReviewRequest {
  readonly uid: string;
  /** Of an AdmissionReview. */
  readonly object?: KubeObject;
  /** Of a ConversionReview. */
  readonly desiredAPIVersion?: string;
  readonly objects?: readonly KubeObject[];
}

export class Webhook implements AsyncDisposable {
  readonly #cluster: Cluster;
  readonly #answer: ((request: ReviewRequest) => object) | undefined;
  #server: Server | undefined;
  #port = 0;
  /** Requests that were answered. */
  calls = 0;
  /** Requests that wait for an answer now. */
  open = 0;

  private constructor(cluster: Cluster, answer?: (request: ReviewRequest) => object) {
    [this.#cluster, this.#answer] = [cluster, answer];
  }

  /** `answer` gives the `response` of the review, but for its uid. */
  static async start(cluster: Cluster, answer: (request: ReviewRequest) => object): Promise<Webhook> {
    const webhook = new Webhook(cluster, answer);
    await webhook.up();
    return webhook;
  }

  /** Takes requests and never answers. */
  static async silent(cluster: Cluster): Promise<Webhook> {
    const webhook = new Webhook(cluster);
    await webhook.up();
    return webhook;
  }

  /** As it stands in a CRD or a webhook configuration. */
  get clientConfig(): { url: string; caBundle: string } {
    return { url: `https://127.0.0.1:${this.#port}/`, caBundle: Buffer.from(this.#cluster.ca).toString('base64') };
  }

  /** Refuses connections from now on. */
  async down(): Promise<void> {
    if (!this.#server) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    this.#server = undefined;
    await closed;
  }

  /** On the same port as before. */
  async up(): Promise<void> {
    const [cert, key] = ['tls.crt', 'tls.key'].map((file) => readFileSync(join(this.#cluster.dir, file)));
    const server = createServer({ cert, key }, (request, response) => {
      this.open += 1;
      response.once('close', () => (this.open -= 1));
      const answerTo = this.#answer;
      if (!answerTo) return;
      void bodyOf(request).then((text) => {
        const review = JSON.parse(text) as { apiVersion: string; kind: string; request: ReviewRequest };
        const { apiVersion, kind, request: asked } = review;
        this.calls += 1;
        const answer = { apiVersion, kind, response: { uid: asked.uid, ...answerTo(asked) } };
        response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
      });
    });
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down();
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
