import type { KubeObject } from '../kube/object.ts';
import type { RenderProblem } from './declared.ts';
import type { Manifest } from './flatten.ts';
import { isMap } from './node.ts';

const API_VERSION = /^(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?\/)?[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/i;
const KIND = /^[a-z](?:[-a-z0-9]*[a-z0-9])?$/i;
const NAMESPACE = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
const MAX_WORD = 253;
// Kubernetes' rule for anything that becomes a part of a request path, and no control characters.
// eslint-disable-next-line no-control-regex
const NO_PATH_SEGMENT = /[/%\u0000-\u001f\u007f-\u009f]|^\.{0,2}$/;

/** The manifest as an object that can be sent, or what the API server would refuse about its head. */
export function checkManifest(manifest: Manifest, file: string): KubeObject | RenderProblem[] {
  const problems: RenderProblem[] = [];
  const say = (code: string, path: string[], message: string): void => {
    problems.push({ code, file, line: manifest.lineOf(path), message });
  };
  const { apiVersion, kind, metadata } = manifest.value;
  checkType(apiVersion, 'apiVersion', API_VERSION, say);
  checkType(kind, 'kind', KIND, say);
  const about = isWord(kind, KIND) ? kind : 'the object';
  if (!isMap(metadata)) {
    say('InvalidObject', ['metadata'], `${about} has no metadata`);
    return problems;
  }
  checkName(metadata, about, say);
  const { namespace } = metadata;
  if (namespace !== undefined && namespace !== null && namespace !== '') {
    if (typeof namespace !== 'string' || namespace.length > 63 || !NAMESPACE.test(namespace)) {
      say('InvalidName', ['metadata', 'namespace'], `metadata.namespace of ${about} is no valid namespace name`);
    }
  }
  checkTexts(metadata, 'labels', say);
  checkTexts(metadata, 'annotations', say);
  return problems.length > 0 ? problems : (manifest.value as unknown as KubeObject);
}

type Say = (code: string, path: string[], message: string) => void;

function checkType(value: unknown, field: string, pattern: RegExp, say: Say): void {
  if (typeof value !== 'string' || value === '') say('InvalidObject', [field], `${field} is missing or no text`);
  else if (!isWord(value, pattern)) say('InvalidName', [field], `${field} is malformed`);
}

/** Short enough to be told in a message, too. */
function isWord(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && value.length <= MAX_WORD && pattern.test(value);
}

function checkName(metadata: Record<string, unknown>, about: string, say: Say): void {
  const { name, generateName } = metadata;
  if (typeof name !== 'string' || name === '') {
    const message = generateName
      ? `${about} has generateName instead of metadata.name: it would be created anew at each sync`
      : `metadata.name of ${about} is missing or no text`;
    say('InvalidObject', ['metadata', 'name'], message);
  } else if (name.length > 253 || NO_PATH_SEGMENT.test(name)) {
    say('InvalidName', ['metadata', 'name'], `metadata.name of ${about} cannot be a part of a path`);
  }
}

function checkTexts(metadata: Record<string, unknown>, field: 'labels' | 'annotations', say: Say): void {
  const map = metadata[field];
  if (map === undefined || map === null) return;
  if (!isMap(map)) return say('InvalidMetadata', ['metadata', field], `metadata.${field} is not a mapping`);
  for (const [key, value] of Object.entries(map)) {
    if (typeof value === 'string') continue;
    say(
      'InvalidMetadata',
      ['metadata', field, key],
      `metadata.${field}: the value of ${key.slice(0, MAX_WORD)} is no text; quote it`,
    );
  }
}
