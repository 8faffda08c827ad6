import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FieldsV1, KubeObject } from '../kube/object.ts';
import { formatPath } from './fields.ts';
import { answerRewritten } from './settle.ts';

const entry = (manager: string, fieldsV1: FieldsV1) => ({
  manager,
  operation: 'Apply' as const,
  apiVersion: 'v1',
  fieldsV1,
});

const CASES: [what: string, sent: object, got: object, theirs: FieldsV1, told: string[]][] = [
  ['a value that admission made', { image: 'a' }, { image: 'mirror/a' }, {}, ['/spec/image']],
  ['an atomic list that admission filled', { whole: [] }, { whole: ['x'] }, {}, ['/spec/whole']],
  [
    'not what others add to a set that is declared empty',
    { set: [] },
    { set: ['x'] },
    { 'f:set': { 'v:"x"': {} } },
    [],
  ],
  [
    'not what others add to a list with keys that is declared empty',
    { ports: [] },
    { ports: [{ port: 80 }] },
    { 'f:ports': { 'k:{"port":80}': { '.': {}, 'f:port': {} } } },
    [],
  ],
];

describe('an answer tells what admission rewrote', () => {
  for (const [what, sent, got, theirs, told] of CASES)
    it(what, () => {
      const managedFields = [
        entry('plumbline', { 'f:spec': { 'f:image': {}, 'f:whole': {} } }),
        entry('you', { 'f:spec': theirs }),
      ];
      const object = (spec: object): KubeObject => ({ apiVersion: 'v1', kind: 'X', metadata: { name: 'x' }, spec });
      const answer = { ...object(got), metadata: { name: 'x', managedFields } };
      assert.deepEqual(
        answerRewritten(JSON.stringify(object(sent)), answer).map(({ path }) => formatPath(path)),
        told,
      );
    });
});
