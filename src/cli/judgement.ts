import { compileEdge } from '../edge/compile.ts';
import type { Finding } from '../edge/finding.ts';
import type { Guard } from '../edge/guard.ts';
import type { EdgeInput, EdgeObject, EdgeSettings, SecretShape } from '../edge/input.ts';
import { judgeEdge } from '../edge/judged-edge.ts';
import type { Edge } from '../edge/model.ts';
import { watchedBy, watchesAll } from '../edge/watched.ts';

/** What an edge is, and everything that is wrong with it. */
export interface Judgement {
  readonly input: EdgeInput;
  readonly edge: Edge;
  readonly findings: readonly Finding[];
}

export interface JudgementOptions {
  readonly settings: EdgeSettings;
  readonly guard: Guard;
  readonly secret: EdgeInput['secret'];
  /** Are the objects everything that a cluster holds? */
  readonly complete: boolean;
}

/** The gate's own way from objects to findings. */
export function judge(
  objects: readonly EdgeObject[],
  { settings, guard, secret, complete }: JudgementOptions,
): Judgement {
  const input: EdgeInput = {
    objects: watchedBy(settings, objects),
    complete: complete && watchesAll(settings),
    secret,
    settings,
  };
  return { input, ...judgeEdge(input, guard) };
}

/** Where it exists, a gateway without any Host serves TLS: nobody has it by accident. */
const FALLBACK_SECRET = 'fallback-self-signed-cert';

/** Without a cluster: hardly anybody keeps Secrets in Git, so one that is not among the files counts as there and complete. */
export function assumedSecret(name: string, namespace: string): SecretShape | undefined {
  if (name === FALLBACK_SECRET) return undefined;
  return { name, namespace, keys: new Set(['tls.crt', 'tls.key', 'crl.pem']) };
}

/** Rounds of asking: one Secret can lead to another only by way of a context that it completes. */
const MAX_ROUNDS = 5;

/**
 * The Secrets that a judgement asks for, each read once from wherever they are: by trying, as the names are found only while
 * the edge is put together.
 */
export async function secretsFor(
  objects: readonly (readonly EdgeObject[])[],
  settings: EdgeSettings,
  read: (secret: { name: string; namespace: string }) => Promise<SecretShape | undefined>,
): Promise<EdgeInput['secret']> {
  const known = new Map<string, SecretShape | undefined>();
  const lookUp: EdgeInput['secret'] = (name, namespace) => known.get(`${namespace}/${name}`);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const asked = new Map<string, { name: string; namespace: string }>();
    const note: EdgeInput['secret'] = (name, namespace) => {
      const key = `${namespace}/${name}`;
      if (!known.has(key)) asked.set(key, { name, namespace });
      return known.get(key);
    };
    for (const one of objects) compileEdge({ objects: watchedBy(settings, one), secret: note, settings });
    if (asked.size === 0) break;
    for (const [key, secret] of asked) known.set(key, await read(secret));
  }
  return lookUp;
}
