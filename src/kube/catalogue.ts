import * as z from 'zod';
import { isNotFound, KubeError } from './errors.ts';
import { groupVersionPath } from './resource.ts';
import type { ApiResource } from './resource.ts';
import type { Transport } from './transport.ts';

/** What an API server serves, as of one reading. */
export interface Catalogue {
  /** By `apiVersion/kind`. */
  resources: Map<string, ApiResource>;
  /** apiVersions by group, the preferred one first. */
  versions: Map<string, string[]>;
  /** Groups of which a version did not answer: that a kind is missing there proves nothing. */
  silentGroups: Set<string>;
  /** Equal for equal content. */
  fingerprint: string;
}

const text = z.string();

/** Go writes an empty list as null. */
function listOf<Item extends z.ZodType>(item: Item) {
  return z
    .array(item)
    .nullish()
    .transform((items) => items ?? []);
}

/** apidiscovery.k8s.io/v2 (and v2beta1, equal in what we read). */
const aggregatedList = z.object({
  kind: z.literal('APIGroupDiscoveryList'),
  items: listOf(
    z.object({
      metadata: z.object({ name: text.optional() }).optional(),
      versions: listOf(
        z.object({
          version: text,
          freshness: text.optional(),
          resources: listOf(
            z.object({
              resource: text,
              responseKind: z.object({ kind: text.optional() }).nullish(),
              scope: text.optional(),
              verbs: listOf(text),
              subresources: listOf(z.object({ subresource: text })),
            }),
          ),
        }),
      ),
    }),
  ),
});

const versionOfGroup = z.object({ groupVersion: text });

/** meta/v1 APIVersions (`/api`) and APIGroupList (`/apis`). */
const versionList = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('APIVersions'), versions: listOf(text) }),
  z.object({
    kind: z.literal('APIGroupList'),
    groups: listOf(
      z.object({ name: text, versions: listOf(versionOfGroup), preferredVersion: versionOfGroup.optional() }),
    ),
  }),
]);

/** meta/v1 APIResourceList */
const resourceList = z.object({
  kind: z.literal('APIResourceList'),
  resources: listOf(z.object({ name: text, kind: text, namespaced: z.boolean(), verbs: listOf(text) })),
});

const AGGREGATED = ['v2', 'v2beta1'].map(
  (v) => `application/json;g=apidiscovery.k8s.io;v=${v};as=APIGroupDiscoveryList`,
);
const ACCEPT = [...AGGREGATED, 'application/json'].join(',');

/** What a proxy in between answers must never be read as a server that serves nothing: everything would count as gone. */
function understood<Schema extends z.ZodType>(schema: Schema, body: unknown, path: string): z.output<Schema> {
  const { data, success } = schema.safeParse(body);
  if (success) return data;
  throw new KubeError(
    'ApiUnexpectedAnswer',
    `the answer to ${path} does not say what the API server serves: is a proxy in between?`,
  );
}

/** Two requests; on a server without aggregated discovery one more for each version of each group. */
export async function readCatalogue(transport: Transport, signal: AbortSignal): Promise<Catalogue> {
  const catalogue: Catalogue = { resources: new Map(), versions: new Map(), silentGroups: new Set(), fingerprint: '' };
  await Promise.all(
    ['/api', '/apis'].map(async (path) => {
      const { body } = await transport.request('GET', path, { signal, accept: ACCEPT, verb: 'discover' });
      const aggregated = aggregatedList.safeParse(body);
      if (aggregated.success) addAggregated(catalogue, aggregated.data);
      else await addVersions(catalogue, understood(versionList, body, path), transport, signal);
    }),
  );
  const kinds = [...catalogue.resources].map(
    ([key, { plural, namespaced, verbs }]) => `${key}=${plural}:${namespaced}:${verbs.join()}`,
  );
  catalogue.fingerprint = [...kinds, ...catalogue.silentGroups].sort().join('\n');
  return catalogue;
}

function addAggregated(catalogue: Catalogue, { items }: z.output<typeof aggregatedList>): void {
  for (const { metadata, versions } of items) {
    const group = metadata?.name ?? '';
    for (const { version, freshness, resources } of versions) {
      const apiVersion = group ? `${group}/${version}` : version;
      addVersion(catalogue, group, apiVersion);
      // Stale: the server repeats what it heard from the API behind it some time ago, or never heard anything.
      if (freshness === 'Stale') catalogue.silentGroups.add(group);
      for (const { resource, responseKind, scope, verbs, subresources } of resources) {
        add(catalogue, apiVersion, {
          plural: resource,
          kind: responseKind?.kind ?? '',
          namespaced: scope === 'Namespaced',
          verbs,
          hasStatus: subresources.some(({ subresource }) => subresource === 'status'),
          hasScale: subresources.some(({ subresource }) => subresource === 'scale'),
        });
      }
    }
  }
}

async function addVersions(
  catalogue: Catalogue,
  list: z.output<typeof versionList>,
  transport: Transport,
  signal: AbortSignal,
): Promise<void> {
  const pending: { group: string; apiVersion: string }[] = [];
  if (list.kind === 'APIVersions') for (const apiVersion of list.versions) pending.push({ group: '', apiVersion });
  for (const { name, versions, preferredVersion } of list.kind === 'APIGroupList' ? list.groups : []) {
    const names = new Set([preferredVersion, ...versions].map((version) => version?.groupVersion ?? ''));
    names.delete('');
    for (const apiVersion of names) pending.push({ group: name, apiVersion });
  }
  for (const { group, apiVersion } of pending) addVersion(catalogue, group, apiVersion);
  await Promise.all(
    pending.map(async ({ group, apiVersion }) => {
      try {
        const path = groupVersionPath(apiVersion);
        const { body } = await transport.request('GET', path, { signal, verb: 'discover' });
        addResources(catalogue, apiVersion, understood(resourceList, body, path));
      } catch (error) {
        signal.throwIfAborted();
        // 404: the version went away between the two questions. Anything else: it is there and does not speak.
        if (!isNotFound(error)) catalogue.silentGroups.add(group);
      }
    }),
  );
}

function addResources(catalogue: Catalogue, apiVersion: string, { resources }: z.output<typeof resourceList>): void {
  const names = new Set(resources.map(({ name }) => name));
  for (const { name, kind, namespaced, verbs } of resources) {
    if (name.includes('/')) continue;
    const [hasStatus, hasScale] = [names.has(`${name}/status`), names.has(`${name}/scale`)];
    add(catalogue, apiVersion, { plural: name, kind, namespaced, verbs, hasStatus, hasScale });
  }
}

function addVersion({ versions }: Catalogue, group: string, apiVersion: string): void {
  const known = versions.get(group);
  if (known) known.push(apiVersion);
  else versions.set(group, [apiVersion]);
}

function add(
  { resources }: Catalogue,
  apiVersion: string,
  resource: Omit<ApiResource, 'apiVersion' | 'group' | 'version'>,
): void {
  const slash = apiVersion.indexOf('/');
  const key = `${apiVersion}/${resource.kind}`;
  if (!resource.kind || resources.has(key)) return;
  resources.set(key, {
    apiVersion,
    group: slash < 0 ? '' : apiVersion.slice(0, slash),
    version: apiVersion.slice(slash + 1),
    ...resource,
  });
}
