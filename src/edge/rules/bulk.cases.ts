import { from, mapping, object, type RuleCases } from './case.ts';

/** A Module whose free-form part has so many values. */
function bulk(name: `${string}/${string}`, values: number) {
  return from('bulk', object('Module', name, { config: { x: Array.from({ length: values }, () => ({})) } }));
}

export const BULK_CASES: Record<string, RuleCases> = {
  EM00D: {
    flags: {
      'what nobody reads': {
        objects: [bulk('t1/ambassador', 500_000)],
        finds: {
          object: 'Module t1/ambassador',
          severity: 'error',
          says: /source bulk writes for the edge has 50\d{4},/,
        },
      },
      'that of several objects': { objects: [bulk('t1/a', 200_000), bulk('t1/b', 300_000)], count: 1 },
      'nests without end': [
        from('bulk', mapping('t1/m', { nest: JSON.parse(`${'['.repeat(5e5)}${']'.repeat(5e5)}`) })),
      ],
    },
    passes: {
      'a few less': [bulk('t1/a', 200_000), bulk('t1/b', 290_000)],
      'that of others': [
        bulk('t1/a', 300_000),
        object('Module', 't1/b', bulk('t1/b', 300_000).object['spec'] as object),
      ],
    },
  },
};
