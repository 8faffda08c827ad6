import type { FuzzTarget } from './target.ts';

const git = () => import('./git-targets.ts');
const documents = () => import('./document-targets.ts');
const cluster = () => import('./cluster-targets.ts');

/** By the names that `npm run fuzz` takes; each loads no more than it needs. */
export const TARGETS: Readonly<Record<string, () => Promise<FuzzTarget>>> = {
  'pkt-lines': async () => (await git()).pktLines,
  packs: async () => (await git()).packs,
  deltas: async () => (await git()).deltas,
  trees: async () => (await git()).trees,
  'git-servers': async () => (await git()).gitServers,
  yaml: async () => (await documents()).yaml,
  'custom-resources': async () => (await documents()).customResources,
  'managed-fields': async () => (await cluster()).managedFields,
  kubeconfigs: async () => (await documents()).kubeconfigs,
  'http-answers': async () => (await cluster()).httpAnswers,
  edge: async () => (await documents()).edge,
};
